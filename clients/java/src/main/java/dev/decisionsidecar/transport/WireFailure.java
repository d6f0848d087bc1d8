package dev.decisionsidecar.transport;

/** One try failed. Never leaves the client, which makes a {@code SidecarException} of it. */
public final class WireFailure extends Exception {
    private static final long serialVersionUID = 1L;

    /** gRPC's word. */
    private final String code;

    private final transient byte[] details;

    /**
     * A try that failed.
     *
     * @param code gRPC's word, as {@code UNAVAILABLE}
     * @param message what is wrong
     * @param details the bytes of {@code grpc-status-details-bin}; empty without
     */
    public WireFailure(String code, String message, byte[] details) {
        // Without a stack: it is a value here, and one try of many.
        super(message, null, false, false);
        this.code = code;
        this.details = details.clone();
    }

    /** {@return gRPC's word, as {@code UNAVAILABLE}} */
    public String code() {
        return code;
    }

    /** {@return the bytes of {@code grpc-status-details-bin}; empty without} */
    public byte[] details() {
        return details.clone();
    }
}
