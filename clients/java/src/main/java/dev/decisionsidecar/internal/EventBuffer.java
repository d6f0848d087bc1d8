package dev.decisionsidecar.internal;

import dev.decisionsidecar.Accepted;
import dev.decisionsidecar.ClientClosedException;
import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.transport.Transport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Events to a sidecar, or to a bounded queue in memory while it takes none. Without a buffer every event is a plain call.
 *
 * <p>Oldest first. Past either bound the oldest is dropped and counted: what a user did last matters most. One that was
 * on its way at that moment may arrive nevertheless. The thread lives while there is something to send. `this` guards
 * queue, bytes, thread and end; no call is made while it is held.
 */
public final class EventBuffer {
    private static final System.Logger LOG = System.getLogger("dev.decisionsidecar");

    private final Transport transport;
    private final Performer performer;
    private final ClientOptions options;
    private final Tally tally;
    private final Deque<Call<Accepted>> queue = new ArrayDeque<>();
    private long bytes;
    private Thread sender;
    private boolean ended;

    public EventBuffer(Transport transport, Performer performer, ClientOptions options, Tally tally) {
        this.transport = transport;
        this.performer = performer;
        this.options = options;
        this.tally = tally;
    }

    /** Accepted by the sidecar, or kept; throws what a retry will not mend, and without a buffer every error. */
    public Accepted record(Call<Accepted> call) {
        if (options.bufferEventsMax() == 0) {
            return performer.perform(call);
        }
        if (isEmpty()) {
            try {
                return performer.perform(call);
            } catch (SidecarException error) {
                if (!error.retryable()) {
                    throw error;
                }
            }
        }
        return keep(call);
    }

    private synchronized boolean isEmpty() {
        return queue.isEmpty();
    }

    private synchronized Accepted keep(Call<Accepted> call) {
        if (ended) {
            throw new ClientClosedException(call.method(), call.eventId());
        }
        queue.addLast(call);
        bytes += call.request().length;
        int dropped = 0;
        while (!queue.isEmpty() && (queue.size() > options.bufferEventsMax() || bytes > options.bufferBytesMax())) {
            bytes -= queue.removeFirst().request().length;
            dropped++;
        }
        count(1 - dropped, dropped, "buffer_full");
        if (sender == null) {
            sender = new Thread(this::send, "sidecar-client-buffer");
            sender.setDaemon(true);
            sender.start();
        }
        return new Accepted(call.eventId(), List.of(), false, true);
    }

    private void count(int buffered, int dropped, String why) {
        tally.buffered.addAndGet(buffered);
        tally.dropped.addAndGet(dropped);
        if (dropped > 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "events_dropped count={0} why={1} kept={2}",
                    dropped,
                    why,
                    queue.size());
        }
    }

    private void send() {
        int failures = 0;
        for (Call<Accepted> call = next(); call != null; call = next()) {
            try {
                performer.perform(call);
                remove(call, false);
                failures = 0;
            } catch (ClientClosedException closed) {
                return;
            } catch (SidecarException error) {
                if (!error.retryable()) {
                    remove(call, true);
                    failures = 0;
                } else if (closedAfter(error.retryAfter().orElse(Retry.LASTING.pause(++failures, Stamps.jitter())))) {
                    return;
                }
            }
        }
    }

    private boolean closedAfter(Duration pause) {
        try {
            return transport.rest(pause);
        } catch (InterruptedException interrupted) {
            return true;
        }
    }

    /** The oldest event; null ends the thread, which is then no more, so that no event is left without one. */
    private synchronized Call<Accepted> next() {
        Call<Accepted> first = queue.peekFirst();
        if (first == null) {
            sender = null;
            notifyAll();
        }
        return first;
    }

    /** Accepted, or refused for good; nothing when it was dropped meanwhile. */
    private synchronized void remove(Call<Accepted> call, boolean refused) {
        if (queue.peekFirst() != call) {
            return;
        }
        queue.removeFirst();
        bytes -= call.request().length;
        count(-1, refused ? 1 : 0, "refused");
        notifyAll();
    }

    /** Wait until the buffer is empty, at most so long; how many events are left. */
    public synchronized long drain(Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            for (long left = timeout.toNanos(); !queue.isEmpty() && left > 0; left = deadline - System.nanoTime()) {
                Duration pause = Duration.ofNanos(left);
                wait(pause.toMillis(), pause.toNanosPart() % 1_000_000);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return queue.size();
    }

    /** Give the buffer as long as one event has, then give it up. */
    public void close() {
        drain(options.eventTimeout());
        synchronized (this) {
            ended = true;
            int left = queue.size();
            queue.clear();
            bytes = 0;
            count(-left, left, "client_closed");
        }
    }
}
