package dev.decisionsidecar;

/** The sidecar has no datafile yet; it answers as soon as it has one. */
public final class NotReadyException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public NotReadyException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
