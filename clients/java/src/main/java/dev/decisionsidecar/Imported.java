package dev.decisionsidecar;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of an import.
 *
 * @param accepted events accepted, repeats included
 * @param repeated accepted events whose id was accepted before, and which are not queued again
 * @param refused batches that were refused whole
 * @param outcomes the different outcomes, with how many events had each
 */
public record Imported(long accepted, long repeated, List<RefusedBatch> refused, Map<Outcome, Long> outcomes) {
    /**
     * Copies list and map.
     *
     * @param accepted as above
     * @param repeated as above
     * @param refused as above
     * @param outcomes as above
     */
    public Imported {
        refused = List.copyOf(refused);
        outcomes = Collections.unmodifiableMap(new LinkedHashMap<>(outcomes));
    }
}
