package dev.decisionsidecar;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a failed call said, whatever carried it.
 *
 * @param code gRPC's word, as {@code INVALID_ARGUMENT}
 * @param reason the sidecar's word, as {@code OUTBOX_FULL}; the code again where no sidecar spoke
 * @param message what is wrong, in English
 * @param violations everything wrong with the request; empty for other errors
 * @param retryAfter how long to wait before a retry; empty when the sidecar did not say
 * @param metadata what else the sidecar named
 */
public record Fault(
        String code,
        String reason,
        String message,
        List<Violation> violations,
        Optional<Duration> retryAfter,
        Map<String, String> metadata) {
    /**
     * Copies list and map.
     *
     * @param code as above
     * @param reason as above
     * @param message as above
     * @param violations as above
     * @param retryAfter as above
     * @param metadata as above
     */
    public Fault {
        violations = List.copyOf(violations);
        metadata = Map.copyOf(metadata);
    }

    /**
     * A fault without details.
     *
     * @param code gRPC's word
     * @param reason the word for it
     * @param message what is wrong
     */
    public Fault(String code, String reason, String message) {
        this(code, reason, message, List.of(), Optional.empty(), Map.of());
    }
}
