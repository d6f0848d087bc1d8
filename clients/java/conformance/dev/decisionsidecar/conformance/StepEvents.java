package dev.decisionsidecar.conformance;

import dev.decisionsidecar.CommonOptions;
import dev.decisionsidecar.EventOptions;
import dev.decisionsidecar.Events;
import dev.decisionsidecar.Money;
import dev.decisionsidecar.PageOptions;
import dev.decisionsidecar.TrackOptions;
import java.time.Instant;

/** The six events of a step, sent by a user or drafted. */
final class StepEvents {
    private StepEvents() {}

    /** Sends, or drafts, the event of a step. */
    static <R> R event(Events<R> events, Step step) {
        return switch (step.text("call")) {
            case "track" -> events.track(step.text("event_key"), track(step));
            case "identify" -> events.identify(step.values("traits"), common(EventOptions.with(), step));
            case "page" -> events.page(step.text("name"), page(step));
            case "screen" -> events.screen(step.text("name"), page(step));
            case "group" ->
                events.group(step.text("group_id"), step.values("traits"), common(EventOptions.with(), step));
            case "alias" -> events.alias(step.text("previous_id"), common(EventOptions.with(), step));
            default -> throw new IllegalArgumentException("no call is named `" + step.text("call") + "`");
        };
    }

    private static TrackOptions track(Step step) {
        TrackOptions options = TrackOptions.with().tags(step.values("tags")).properties(step.values("properties"));
        if (step.has("revenue")) {
            Step money = step.part("revenue");
            options.revenue(Money.of(money.text("amount"), money.text("currency")));
        }
        return common(options, step);
    }

    private static PageOptions page(Step step) {
        return common(PageOptions.with().category(step.text("category")).properties(step.values("properties")), step);
    }

    private static <S extends CommonOptions<S>> S common(S options, Step step) {
        options.eventId(step.text("event_id"));
        options.context(step.values("context"));
        options.integrations(step.values("integrations"));
        if (step.has("timestamp")) {
            options.timestamp(Instant.parse(step.text("timestamp")));
        }
        if (step.has("timeout_ms")) {
            options.timeout(step.milliseconds("timeout_ms"));
        }
        return options;
    }
}
