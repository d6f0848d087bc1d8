package dev.decisionsidecar.internal;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.decisionsidecar.SidecarException;
import java.time.Duration;
import java.util.function.Function;

/**
 * One unary call as a value, built whole, ids and time included, before its first try: a retry sends the same bytes.
 *
 * @param fallback makes the answer that stands in for an error; null = none, the error is thrown
 */
public record Call<A>(
        String method,
        byte[] request,
        Duration timeout,
        Retry retry,
        Reader<A> reader,
        String eventId,
        Function<SidecarException, A> fallback) {

    /** Reads a reply. */
    @FunctionalInterface
    public interface Reader<A> {
        /** The answer that the bytes hold. */
        A read(byte[] reply) throws InvalidProtocolBufferException;
    }

    /** A call without an event and without a fallback. */
    public Call(String method, byte[] request, Duration timeout, Retry retry, Reader<A> reader) {
        this(method, request, timeout, retry, reader, "", null);
    }

    /** The same call with another deadline. */
    public Call<A> within(Duration deadline) {
        return new Call<>(method, request, deadline, retry, reader, eventId, fallback);
    }
}
