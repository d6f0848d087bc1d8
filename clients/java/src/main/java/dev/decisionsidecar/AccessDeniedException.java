package dev.decisionsidecar;

/** The token or the client certificate is missing, wrong, or not enough for this method. */
public final class AccessDeniedException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public AccessDeniedException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }
}
