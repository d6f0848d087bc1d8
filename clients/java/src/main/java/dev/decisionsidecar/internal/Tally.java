package dev.decisionsidecar.internal;

import dev.decisionsidecar.Counters;
import java.util.concurrent.atomic.AtomicLong;

/** What a client counts, from any thread. */
public final class Tally {
    final AtomicLong defaulted = new AtomicLong();
    final AtomicLong retries = new AtomicLong();
    final AtomicLong dropped = new AtomicLong();
    final AtomicLong buffered = new AtomicLong();

    /** One more decision is the caller's default. */
    public void defaulted() {
        defaulted.incrementAndGet();
    }

    /** The counts of now. */
    public Counters counters() {
        return new Counters(defaulted.get(), retries.get(), dropped.get(), buffered.get());
    }
}
