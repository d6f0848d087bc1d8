package dev.decisionsidecar.internal;

import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Messages as their bytes: methods whose requests and replies gRPC does not read. */
final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    private static final Bytes MARSHALLER = new Bytes();
    // As many entries as the client has methods.
    private static final Map<String, MethodDescriptor<byte[], byte[]>> METHODS = new ConcurrentHashMap<>();

    private Bytes() {}

    /** The method of a full name with a slash before it. */
    static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
        return METHODS.computeIfAbsent(name, absent -> MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(type)
                .setFullMethodName(name.substring(1))
                .setRequestMarshaller(MARSHALLER)
                .setResponseMarshaller(MARSHALLER)
                .build());
    }

    @Override
    public InputStream stream(byte[] value) {
        return new Known(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
        try {
            return stream.readAllBytes();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** A stream that tells gRPC its length, so that it needs no buffer of its own. */
    private static final class Known extends ByteArrayInputStream implements KnownLength {
        Known(byte[] value) {
            super(value);
        }
    }
}
