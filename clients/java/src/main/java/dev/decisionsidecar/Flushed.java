package dev.decisionsidecar;

import java.util.List;

/**
 * What a flush left.
 *
 * @param remainders one for each destination
 * @param buffered events that are still in this client's buffer
 */
public record Flushed(List<Remainder> remainders, long buffered) {
    /**
     * Copies the list.
     *
     * @param remainders as above
     * @param buffered as above
     */
    public Flushed {
        remainders = List.copyOf(remainders);
    }

    /** {@return whether everything accepted before the flush is delivered, or a dead letter that says why} */
    public boolean complete() {
        return buffered == 0 && remainders.stream().allMatch(each -> each.events() == 0);
    }
}
