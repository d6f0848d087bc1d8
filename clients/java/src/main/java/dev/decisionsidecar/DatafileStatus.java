package dev.decisionsidecar;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What the sidecar decides with, and how fresh it is.
 *
 * @param name the datafile's configured name; empty when none is configured
 * @param revision the revision in force; empty before the first
 * @param source where it comes from
 * @param loadedTime when it came into force
 * @param checkedTime when the source was last read
 * @param stale the last look at the source failed or is overdue
 * @param fromCache it was loaded from the copy on disk
 * @param lastError why the last look failed; empty when it did not
 * @param warnings what is wrong with it
 */
public record DatafileStatus(
        String name,
        String revision,
        String source,
        Optional<Instant> loadedTime,
        Optional<Instant> checkedTime,
        boolean stale,
        boolean fromCache,
        String lastError,
        List<DatafileWarning> warnings) {
    /**
     * Copies the list.
     *
     * @param name as above
     * @param revision as above
     * @param source as above
     * @param loadedTime as above
     * @param checkedTime as above
     * @param stale as above
     * @param fromCache as above
     * @param lastError as above
     * @param warnings as above
     */
    public DatafileStatus {
        warnings = List.copyOf(warnings);
    }
}
