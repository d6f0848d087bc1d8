package dev.decisionsidecar;

/** Whether a destination will get an event. */
public enum OutcomeState {
    /** A state that this client does not know. */
    UNSPECIFIED,
    /** Written, and to be delivered at least once. */
    QUEUED,
    /** Not for this destination; {@link Outcome#reason()} says why. */
    SKIPPED
}
