package dev.decisionsidecar.internal;

import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.Imported;
import dev.decisionsidecar.Outcome;
import dev.decisionsidecar.RefusedBatch;
import dev.decisionsidecar.RequestRefusedException;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportEvent;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportOutcome;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportResponse;
import dev.decisionsidecar.transport.Transport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One import: batches in order, each until it is accepted or refused; the events are read no further than the batch that
 * is being sent.
 *
 * <p>Why one Import after the other and no ImportStream: a batch is written in one go or refused with its violations, has
 * a deadline and is tried again like any other call, and a sidecar next door leaves no round trip worth hiding.
 */
public final class Importing {
    /** Events of one Import; the sidecar's own bound. */
    public static final int BATCH_EVENTS_MAX = 500;

    /** Bytes of one Import of more than one event: far below the sidecar's bound, so that memory stays small. */
    private static final int BATCH_BYTES_MAX = 4 * 1024 * 1024;

    /** How long an import waits in all for a batch that is not accepted for now, as while the outbox is full. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** What an event costs besides its own bytes: its tag and its length. */
    private static final int EVENT_OVERHEAD_BYTES = 6;

    private final Transport transport;
    private final Performer performer;
    private final ClientOptions options;
    private final boolean includeOptimizely;
    private final int batchEventsMax;

    private final List<RefusedBatch> refused = new ArrayList<>();
    private final Map<Outcome, Long> outcomes = new LinkedHashMap<>();
    private long given;
    private long accepted;
    private long repeated;

    /** Throws IllegalArgumentException for a bound of a batch that is not 1 to 500. */
    public Importing(
            Transport transport,
            Performer performer,
            ClientOptions options,
            boolean includeOptimizely,
            int batchEventsMax) {
        if (batchEventsMax < 1 || batchEventsMax > BATCH_EVENTS_MAX) {
            throw new IllegalArgumentException(
                    "batchEventsMax is " + batchEventsMax + ", wanted 1 to " + BATCH_EVENTS_MAX);
        }
        this.transport = transport;
        this.performer = performer;
        this.options = options;
        this.includeOptimizely = includeOptimizely;
        this.batchEventsMax = batchEventsMax;
    }

    /** Send all; throws SidecarException when it breaks off: `report` then tells what was before. */
    public void run(Iterator<ImportEvent> events) {
        ImportRequest.Builder batch = ImportRequest.newBuilder();
        long batchBytes = 0;
        while (events.hasNext()) {
            ImportEvent event = events.next();
            int eventBytes = event.getSerializedSize() + EVENT_OVERHEAD_BYTES;
            boolean full = batch.getEventsCount() == batchEventsMax || batchBytes + eventBytes > BATCH_BYTES_MAX;
            if (batch.getEventsCount() > 0 && full) {
                send(batch);
                batch = ImportRequest.newBuilder();
                batchBytes = 0;
            }
            batch.addEvents(event);
            batchBytes += eventBytes;
        }
        if (batch.getEventsCount() > 0) {
            send(batch);
        }
    }

    private void send(ImportRequest.Builder batch) {
        batch.setIncludeOptimizely(includeOptimizely).setDatafile(options.datafile());
        Call<ImportResponse> call = new Call<>(
                "/sidecar.v1.TrackingService/Import",
                batch.build().toByteArray(),
                options.importTimeout(),
                Retry.EVENT,
                ImportResponse::parseFrom);
        try {
            accept(patiently(call), batch.getEventsCount());
        } catch (RequestRefusedException error) {
            refused.add(new RefusedBatch(given, batch.getEventsCount(), error));
        }
        given += batch.getEventsCount();
    }

    private ImportResponse patiently(Call<ImportResponse> call) {
        Duration waited = Duration.ZERO;
        for (int failures = 1; ; failures++) {
            try {
                return performer.perform(call);
            } catch (SidecarException error) {
                if (!error.retryable() || waited.compareTo(PATIENCE) >= 0) {
                    throw error;
                }
                Duration pause = error.retryAfter().orElse(Retry.LASTING.pause(failures, Stamps.jitter()));
                waited = waited.plus(pause);
                rest(pause, error);
            }
        }
    }

    private void rest(Duration pause, SidecarException error) {
        try {
            // A client that was closed meanwhile says so at the next try.
            transport.rest(pause);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw error;
        }
    }

    private void accept(ImportResponse response, int events) {
        accepted += events;
        repeated += response.getRepeatedEvents();
        for (ImportOutcome each : response.getOutcomesList()) {
            outcomes.merge(Replies.outcome(each.getOutcome()), each.getEvents(), Long::sum);
        }
    }

    /** What became of all of it. */
    public Imported report() {
        return new Imported(accepted, repeated, refused, outcomes);
    }
}
