package dev.decisionsidecar;

import java.time.Instant;
import java.util.Optional;

/**
 * A revision that came into force.
 *
 * @param revision the revision; empty when none is loaded yet
 * @param loadedTime when it came into force
 * @param source where it comes from
 * @param warnings how many warnings it has; {@link SidecarClient#status()} lists them
 * @param lost changes missed because this reader was slow
 */
public record DatafileChange(String revision, Optional<Instant> loadedTime, String source, int warnings, long lost) {}
