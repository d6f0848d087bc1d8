package dev.decisionsidecar;

import java.util.List;

/**
 * An event that is written, and will be delivered at least once, or that waits in this client's buffer.
 *
 * @param eventId the id under which it was accepted
 * @param outcomes what became of it, one for each destination; empty when it is buffered
 * @param exposureSeenHere this sidecar made an impression, for this user, of an experiment that the event measures; a
 *     hint that {@code track} alone gives, and false says nothing
 * @param buffered no sidecar took it yet: this client keeps it in memory, to send it later
 */
public record Accepted(String eventId, List<Outcome> outcomes, boolean exposureSeenHere, boolean buffered) {
    /**
     * Copies the list.
     *
     * @param eventId as above
     * @param outcomes as above
     * @param exposureSeenHere as above
     * @param buffered as above
     */
    public Accepted {
        outcomes = List.copyOf(outcomes);
    }
}
