package dev.decisionsidecar;

/** The client was closed before the call, or during it. */
public final class ClientClosedException extends SidecarException {
    private static final long serialVersionUID = 1L;

    /**
     * An error of one call.
     *
     * @param method the full method name; may be empty
     * @param eventId the event's id; empty when the call brings none
     */
    public ClientClosedException(String method, String eventId) {
        super(
                new Fault("CANCELLED", "CLIENT_CLOSED", "the client is closed, so the call has no answer"),
                method,
                eventId);
    }
}
