package dev.decisionsidecar.internal;

import java.time.Duration;

/**
 * When a call that found no sidecar (UNAVAILABLE) is tried again, always within its deadline.
 *
 * <p>The pause doubles from the least to the most, of which a random half is left out.
 */
public record Retry(int attemptsMax, Duration pauseMin, Duration pauseMax) {
    /** Why so few: a sidecar that is gone must not cost each request the whole deadline of a decision. */
    public static final Retry DECIDE = new Retry(3, Duration.ofMillis(10), Duration.ofMillis(20));
    /** Why so many: an event has no default, so its deadline is the bound. */
    public static final Retry EVENT = new Retry(20, Duration.ofMillis(20), Duration.ofMillis(200));
    /** Of a watch, the buffer and an import, the pauses alone: they go on until the client is closed. */
    public static final Retry LASTING = new Retry(Integer.MAX_VALUE, Duration.ofMillis(100), Duration.ofSeconds(5));

    private static final int DOUBLINGS_MAX = 16;

    /** How long to wait after so many failures in a row, 1 or more; 0 ≤ jitter < 1. */
    public Duration pause(int failures, double jitter) {
        long full = Math.min(pauseMin.toNanos() << Math.min(failures - 1, DOUBLINGS_MAX), pauseMax.toNanos());
        return Duration.ofNanos((long) (full * (1 - jitter / 2)));
    }
}
