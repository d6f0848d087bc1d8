package dev.decisionsidecar;

/** No answer within the deadline. An event may have been accepted: retry it with its {@link #eventId()}. */
public final class DeadlinePassedException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public DeadlinePassedException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
