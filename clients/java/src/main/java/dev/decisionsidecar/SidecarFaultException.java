package dev.decisionsidecar;

/** A fault of the sidecar or of this client; the message is for a bug report. */
public final class SidecarFaultException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public SidecarFaultException(Fault fault, String method, String eventId) {
        super(fault, method, eventId);
    }
}
