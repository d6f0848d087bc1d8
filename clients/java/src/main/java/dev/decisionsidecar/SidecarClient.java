package dev.decisionsidecar;

import dev.decisionsidecar.internal.Call;
import dev.decisionsidecar.internal.EventBuffer;
import dev.decisionsidecar.internal.GrpcTransport;
import dev.decisionsidecar.internal.Identity;
import dev.decisionsidecar.internal.Importing;
import dev.decisionsidecar.internal.Performer;
import dev.decisionsidecar.internal.Replies;
import dev.decisionsidecar.internal.Retry;
import dev.decisionsidecar.internal.Tally;
import dev.decisionsidecar.internal.pb.DatafileProto.GetStatusRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.FlushRequest;
import dev.decisionsidecar.transport.Transport;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * A sidecar, as seen from any number of threads: one for the process, closed at its end.
 *
 * <p>The first call connects; all calls share that connection, which is made anew when it breaks.
 */
public final class SidecarClient implements AutoCloseable {
    /** Where a sidecar listens unless told otherwise. */
    public static final String DEFAULT_ADDRESS = "127.0.0.1:8013";

    /** Between two questions whether a sidecar that answers has its datafile. */
    private static final Duration READY_PAUSE = Duration.ofMillis(50);

    /** What a Flush's deadline leaves for the way there and back, so that the sidecar's answer comes before it. */
    private static final Duration FLUSH_MARGIN = Duration.ofSeconds(1);

    private final Transport transport;
    private final ClientOptions options;
    private final Tally tally = new Tally();
    private final Performer performer;
    private final EventBuffer buffer;

    private SidecarClient(Transport transport, ClientOptions options) {
        this.transport = transport;
        this.options = options;
        this.performer = new Performer(transport, tally);
        this.buffer = new EventBuffer(transport, performer, options, tally);
    }

    /**
     * {@return a client for the sidecar at an address, connected by its first call}
     *
     * @param address {@code HOST:PORT} or {@code unix:PATH}
     */
    public static SidecarClient connect(String address) {
        return connect(address, ClientOptions.DEFAULT);
    }

    /**
     * {@return a client for the sidecar at an address, connected by its first call} Throws {@link
     * IllegalArgumentException} for an address, or TLS material, that cannot be.
     *
     * @param address {@code HOST:PORT} or {@code unix:PATH}
     * @param options how to connect, and how long to wait
     */
    public static SidecarClient connect(String address, ClientOptions options) {
        return new SidecarClient(new GrpcTransport(address, options), options);
    }

    /**
     * {@return a client over another transport, which it closes}
     *
     * @param transport what carries its calls
     * @param options how long to wait; those of the connection are the transport's
     */
    public static SidecarClient over(Transport transport, ClientOptions options) {
        return new SidecarClient(transport, options);
    }

    /** {@return what this client was told} */
    public ClientOptions options() {
        return options;
    }

    /** {@return what this client has been through until now} */
    public Counters counters() {
        return tally.counters();
    }

    /**
     * {@return a handle for one user without attributes}
     *
     * @param userId the user's id; empty when only an anonymous id is known
     */
    public User user(String userId) {
        return user(userId, Map.of());
    }

    /**
     * {@return a handle for one user} Throws {@link IllegalArgumentException}, with the path of the value, for an
     * attribute that has no wire form.
     *
     * @param userId the user's id; empty when only an anonymous id is known
     * @param attributes null, booleans, whole numbers within int64, doubles, texts, lists and maps
     */
    public User user(String userId, Map<String, ?> attributes) {
        return new User(this, Identity.of(userId, attributes, options.datafile()));
    }

    /**
     * {@return the decisions of the same flags for each user, in their order, at one revision}
     *
     * @param users at most 1,000, of one datafile
     * @param flagKeys the flags; none = all
     */
    public List<Decisions> decideMany(Collection<User> users, Collection<String> flagKeys) {
        return decideMany(users, flagKeys, Map.of(), List.of(), AskOptions.with());
    }

    /**
     * {@return the decisions of the same flags for each user, in their order, at one revision} A user that is refused has
     * the defaults, and an error reason; the others have their decisions.
     *
     * @param users at most 1,000, of one datafile
     * @param flagKeys the flags; none = all
     * @param defaults what stands for an answer, by flag
     * @param decisionIds a name for the decision of each user, in their order; empty = UUIDs
     * @param ask what the call takes besides
     */
    public List<Decisions> decideMany(
            Collection<User> users,
            Collection<String> flagKeys,
            Map<String, Decision> defaults,
            List<String> decisionIds,
            AskOptions ask) {
        if (users.isEmpty()) {
            return List.of();
        }
        List<Identity> identities = users.stream().map(User::identity).toList();
        return perform(DecideCalls.many(identities, decisionIds, options, tally, flagKeys, defaults, ask));
    }

    /**
     * {@return what became of history: any number of events, in batches that are accepted or refused whole} Optimizely
     * does not get them. As {@link #importEvents(Iterable, boolean, int)}.
     *
     * @param drafts events made by {@link User#drafts()}
     */
    public Imported importEvents(Iterable<Draft> drafts) {
        return importEvents(drafts, false, Importing.BATCH_EVENTS_MAX);
    }

    /**
     * {@return what became of history: any number of events, in batches that are accepted or refused whole} Throws {@link
     * SidecarException} when no sidecar takes a batch for a minute; its {@link SidecarException#imported()} says what was
     * accepted before.
     *
     * @param drafts events made by {@link User#drafts()}, read no further than the batch that is being sent
     * @param includeOptimizely send them to Optimizely too; old timestamps distort its results
     * @param batchEventsMax events of one batch, 1-500
     */
    public Imported importEvents(Iterable<Draft> drafts, boolean includeOptimizely, int batchEventsMax) {
        Importing importing = new Importing(transport, performer, options, includeOptimizely, batchEventsMax);
        try {
            importing.run(StreamSupport.stream(drafts.spliterator(), false)
                    .map(each -> each.message.event())
                    .iterator());
        } catch (SidecarException error) {
            error.broke(importing.report());
            throw error;
        }
        return importing.report();
    }

    /**
     * {@return whether, within a time, a first decision will succeed, or, without any datafile, an event} Throws {@link
     * SidecarException} for what waiting does not mend, as a wrong token.
     *
     * @param timeout how long to wait
     */
    public boolean waitReady(Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(deadline - System.nanoTime(), 1_000_000));
            try {
                Duration patience = left.compareTo(options.statusTimeout()) < 0 ? left : options.statusTimeout();
                DatafileStatus status = perform(statusCall().within(patience));
                if (!status.revision().isEmpty() || status.name().isEmpty()) {
                    return true;
                }
            } catch (SidecarException error) {
                if (!error.retryable()) {
                    throw error;
                }
            }
            if (deadline - System.nanoTime() <= 0 || !pausedBeforeReady(deadline)) {
                return false;
            }
        }
    }

    /** Whether to ask again: not when the thread is wanted back. */
    private boolean pausedBeforeReady(long deadline) {
        Duration left = Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0));
        try {
            if (transport.rest(left.compareTo(READY_PAUSE) < 0 ? left : READY_PAUSE)) {
                throw new ClientClosedException("", "");
            }
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * {@return what is left after everything accepted before is delivered, or the time has passed} What this client has
     * in its buffer goes first. Throws {@link SidecarException}.
     *
     * @param timeout how long to wait; 0 = just look
     */
    public Flushed flush(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout is " + timeout + ", wanted 0 or more");
        }
        long started = System.nanoTime();
        long buffered = buffer.drain(timeout);
        Duration left = timeout.minusNanos(System.nanoTime() - started);
        left = left.isNegative() ? Duration.ZERO : left;
        FlushRequest request = FlushRequest.newBuilder()
                .setTimeout(com.google.protobuf.Duration.newBuilder()
                        .setSeconds(left.getSeconds())
                        .setNanos(left.getNano()))
                .setDatafile(options.datafile())
                .build();
        Flushed flushed = perform(new Call<>(
                "/sidecar.v1.TrackingService/Flush",
                request.toByteArray(),
                left.plus(FLUSH_MARGIN),
                Retry.EVENT,
                Replies::flushed));
        return new Flushed(flushed.remainders(), buffered);
    }

    /** {@return the state of the datafile that decisions are made with} Throws {@link SidecarException}. */
    public DatafileStatus status() {
        return perform(statusCall());
    }

    private Call<DatafileStatus> statusCall() {
        byte[] request = GetStatusRequest.newBuilder()
                .setDatafile(options.datafile())
                .build()
                .toByteArray();
        return new Call<>(
                "/sidecar.v1.DatafileService/GetStatus",
                request,
                options.statusTimeout(),
                Retry.EVENT,
                Replies::status);
    }

    /** {@return the current revision, then each change, until it or this client is closed} */
    public Watch watch() {
        return new Watch(transport, options.datafile());
    }

    /**
     * Ends every call and watch, and the connection. Idempotent.
     *
     * <p>Events in the buffer are given as long as one event has; what is left is dropped, and counted.
     */
    @Override
    public void close() {
        buffer.close();
        transport.close();
    }

    <A> A perform(Call<A> call) {
        return performer.perform(call);
    }

    Accepted record(Call<Accepted> call) {
        return buffer.record(call);
    }
}
