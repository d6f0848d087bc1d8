package dev.decisionsidecar.internal;

import dev.decisionsidecar.ClientClosedException;
import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.transport.Transport;
import dev.decisionsidecar.transport.WireFailure;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** The transport over gRPC: one channel, and the bytes of a message as they are. The only user of io.grpc's calls. */
public final class GrpcTransport implements Transport {
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final Metadata.Key<String> AUTHORIZATION = header("authorization");
    private static final byte[] NOTHING = {};
    private static final long CLOSE_S = 5;

    private final ClientOptions options;
    private final Connection connection;
    private final ManagedChannel channel;
    private final Reconnect reconnect;
    private final AtomicBoolean closing = new AtomicBoolean();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Throws IllegalArgumentException for an address, or TLS material, that cannot be. */
    public GrpcTransport(String address, ClientOptions options) {
        this.options = options;
        connection = Connection.to(Address.parse(address), options);
        channel = connection.channel();
        reconnect = new Reconnect(channel);
    }

    @Override
    public byte[] unary(String method, byte[] request, Duration timeout) throws WireFailure {
        refuseWhenClosed(method);
        Channel traced = withHeaders();
        reconnect.whenDue();
        CallOptions within = CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS);
        // Why the root: a call that the application is answering may end before the event is written.
        Context outer = Context.ROOT.attach();
        try {
            byte[] reply = ClientCalls.blockingUnaryCall(
                    traced, Bytes.method(method, MethodDescriptor.MethodType.UNARY), within, request);
            reconnect.succeeded();
            return reply;
        } catch (StatusRuntimeException error) {
            throw failure(method, error);
        } finally {
            Context.ROOT.detach(outer);
        }
    }

    @Override
    public Replies stream(String method, byte[] request) {
        refuseWhenClosed(method);
        Context.CancellableContext context = Context.ROOT.withCancellation();
        return new Replies() {
            private Iterator<byte[]> replies;

            @Override
            public byte[] next() throws WireFailure {
                refuseWhenClosed(method);
                Context outer = context.attach();
                try {
                    if (replies == null) {
                        Channel traced = withHeaders();
                        reconnect.whenDue();
                        MethodDescriptor<byte[], byte[]> streaming =
                                Bytes.method(method, MethodDescriptor.MethodType.SERVER_STREAMING);
                        replies = ClientCalls.blockingServerStreamingCall(
                                traced, streaming, CallOptions.DEFAULT, request);
                    }
                    return replies.hasNext() ? replies.next() : null;
                } catch (StatusRuntimeException error) {
                    throw failure(method, error);
                } finally {
                    context.detach(outer);
                }
            }

            @Override
            public void close() {
                context.cancel(null);
            }
        };
    }

    private void refuseWhenClosed(String method) {
        if (closing.get()) {
            throw new ClientClosedException(method, "");
        }
    }

    /** The channel of one try: with its token, and the trace of the caller's span. */
    private Channel withHeaders() throws WireFailure {
        Metadata headers = new Metadata();
        for (Map.Entry<String, String> each : Tracing.headers().entrySet()) {
            headers.put(header(each.getKey()), each.getValue());
        }
        String token = token();
        if (!token.isEmpty()) {
            headers.put(AUTHORIZATION, "Bearer " + token);
        }
        return headers.keys().isEmpty()
                ? channel
                : ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private String token() throws WireFailure {
        String token;
        try {
            token = options.token().get();
        } catch (RuntimeException error) {
            // A decision must not throw because a secret cannot be read.
            throw new WireFailure("UNAUTHENTICATED", "the token cannot be read: " + error, NOTHING);
        }
        boolean sendable = token != null && token.chars().allMatch(each -> each >= ' ' && each < 0x7F);
        if (!sendable) {
            throw new WireFailure("UNAUTHENTICATED", "the token is null or not of visible ASCII", NOTHING);
        }
        return token;
    }

    private static Metadata.Key<String> header(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private WireFailure failure(String method, StatusRuntimeException error) {
        if (closing.get()) {
            throw new ClientClosedException(method, "");
        }
        Status status = error.getStatus();
        byte[] details =
                error.getTrailers() == null ? null : error.getTrailers().get(DETAILS);
        String message = status.getDescription() == null ? "" : status.getDescription();
        if (status.getCause() != null && status.getCause().getMessage() != null) {
            message += ": " + status.getCause().getMessage();
        }
        return new WireFailure(status.getCode().name(), message, details == null ? NOTHING : details);
    }

    @Override
    public boolean rest(Duration pause) throws InterruptedException {
        return closed.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        if (!closing.compareAndSet(false, true)) {
            return;
        }
        closed.countDown();
        channel.shutdownNow();
        try {
            channel.awaitTermination(CLOSE_S, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        connection.release();
    }
}
