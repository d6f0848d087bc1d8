package dev.decisionsidecar.internal;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.decisionsidecar.ClientClosedException;
import dev.decisionsidecar.Fault;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.SidecarFaultException;
import dev.decisionsidecar.transport.Transport;
import dev.decisionsidecar.transport.WireFailure;
import java.time.Duration;

/** The loop over the tries of a call. Only UNAVAILABLE is tried again, and only while the deadline has not passed. */
public final class Performer {
    private static final System.Logger LOG = System.getLogger("dev.decisionsidecar");

    private final Transport transport;
    private final Tally tally;

    /** Calls over this transport, counted there. */
    public Performer(Transport transport, Tally tally) {
        this.transport = transport;
        this.tally = tally;
    }

    /** Drive one call to its answer, its fallback's answer, or a SidecarException. */
    public <A> A perform(Call<A> call) {
        try {
            return attempt(call);
        } catch (SidecarException error) {
            if (call.fallback() == null) {
                throw error;
            }
            tally.defaulted();
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "decision_defaulted method={0} reason={1}",
                    call.method(),
                    error.reason());
            return call.fallback().apply(error);
        }
    }

    private <A> A attempt(Call<A> call) {
        long deadline = System.nanoTime() + call.timeout().toNanos();
        for (int attempts = 1; ; attempts++) {
            try {
                Duration left = Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0));
                return call.reader().read(transport.unary(call.method(), call.request(), left));
            } catch (WireFailure failure) {
                Duration pause = call.retry().pause(attempts, Stamps.jitter());
                boolean late = System.nanoTime() + pause.toNanos() >= deadline;
                if (!failure.code().equals("UNAVAILABLE")
                        || attempts >= call.retry().attemptsMax()
                        || late) {
                    throw failed(call, failure);
                }
                rest(call, failure, pause);
                tally.retries.incrementAndGet();
            } catch (ClientClosedException closed) {
                throw new ClientClosedException(call.method(), call.eventId());
            } catch (InvalidProtocolBufferException error) {
                Fault fault = new Fault("INTERNAL", "MALFORMED_REPLY", String.valueOf(error.getMessage()));
                throw new SidecarFaultException(fault, call.method(), call.eventId());
            }
        }
    }

    private void rest(Call<?> call, WireFailure failure, Duration pause) {
        try {
            if (transport.rest(pause)) {
                throw new ClientClosedException(call.method(), call.eventId());
            }
        } catch (InterruptedException interrupted) {
            // Its owner wants the thread back: this try was the last.
            Thread.currentThread().interrupt();
            throw failed(call, failure);
        }
    }

    private static SidecarException failed(Call<?> call, WireFailure failure) {
        return Faults.error(Faults.of(failure), call.method(), call.eventId());
    }
}
