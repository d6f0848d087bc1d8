package dev.decisionsidecar.internal;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How often a lost connection is made anew: while calls want it, after 100 ms rising to 1 s. Why: the channel's own
 * pauses are 1 s rising to 2 minutes, far too long for a sidecar next door that restarts, and cannot be set.
 */
final class Reconnect {
    private static final long PAUSE_MIN = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PAUSE_MAX = TimeUnit.SECONDS.toNanos(1);

    private final ManagedChannel channel;
    /** When the next attempt is due, by System.nanoTime; who moves it on makes the attempt. */
    private final AtomicLong due = new AtomicLong(System.nanoTime());
    /** The pause before the next attempt. A race of two calls costs an attempt more or less. */
    private volatile long pause = PAUSE_MIN;

    Reconnect(ManagedChannel channel) {
        this.channel = channel;
    }

    /** Before a call: attempt a connection now, when the last one failed long enough ago. */
    void whenDue() {
        if (channel.getState(false) != ConnectivityState.TRANSIENT_FAILURE) {
            return;
        }
        long now = System.nanoTime();
        long next = due.get();
        if (now - next >= 0 && due.compareAndSet(next, now + pause)) {
            pause = Math.min(pause * 2, PAUSE_MAX);
            channel.resetConnectBackoff();
        }
    }

    /** After a call that was answered. */
    void succeeded() {
        if (pause != PAUSE_MIN) {
            pause = PAUSE_MIN;
        }
    }
}
