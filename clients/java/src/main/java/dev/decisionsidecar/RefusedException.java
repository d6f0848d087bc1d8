package dev.decisionsidecar;

/** A bound is reached ({@code OUTBOX_FULL}, {@code OUTBOX_UNWRITABLE}); waiting {@link #retryAfter()} may help. */
public final class RefusedException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public RefusedException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
