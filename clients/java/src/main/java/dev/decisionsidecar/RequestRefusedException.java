package dev.decisionsidecar;

/** The request breaks the contract, or names what is not there; the same call will fail again. */
public final class RequestRefusedException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public RequestRefusedException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }
}
