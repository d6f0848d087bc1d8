package dev.decisionsidecar.internal.fake;

import dev.decisionsidecar.ClientClosedException;
import dev.decisionsidecar.transport.Transport;
import dev.decisionsidecar.transport.WireFailure;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The transport in memory: a call is a call of the fake's `answer`. */
final class FakeTransport implements Transport {
    private final FakeState fake;
    private final CountDownLatch closed = new CountDownLatch(1);

    FakeTransport(FakeState fake) {
        this.fake = fake;
    }

    @Override
    public byte[] unary(String method, byte[] request, Duration timeout) throws WireFailure {
        if (closed.getCount() == 0) {
            throw new ClientClosedException(method, "");
        }
        return fake.answer(method, request);
    }

    @Override
    public Replies stream(String method, byte[] request) {
        CountDownLatch ended = new CountDownLatch(1);
        return new Replies() {
            private boolean told;

            @Override
            public byte[] next() throws WireFailure {
                if (!told) {
                    told = true;
                    return unary(method, request, Duration.ZERO);
                }
                try {
                    while (!ended.await(10, TimeUnit.MILLISECONDS)) {
                        if (closed.getCount() == 0) {
                            throw new ClientClosedException(method, "");
                        }
                    }
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw new ClientClosedException(method, "");
                }
                return null;
            }

            @Override
            public void close() {
                ended.countDown();
            }
        };
    }

    @Override
    public boolean rest(Duration pause) throws InterruptedException {
        return closed.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
