package dev.decisionsidecar;

/** No sidecar answered: none listens there, it is stopping, or the connection broke. */
public final class UnavailableException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public UnavailableException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
