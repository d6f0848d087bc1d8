package dev.decisionsidecar;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * What every event takes; all optional. Mutable while it is made, read when the event is made.
 *
 * @param <S> the options themselves
 */
public abstract sealed class CommonOptions<S extends CommonOptions<S>> permits EventOptions, PageOptions, TrackOptions {
    String eventId = "";
    Instant timestamp;
    Map<String, ?> context = Map.of();
    Map<String, ?> integrations = Map.of();
    Duration timeout;

    CommonOptions() {}

    abstract S self();

    /**
     * {@return these, with a name for the event, a UUID by default}
     *
     * @param id 1-100 characters; to repeat a call that failed, that of its exception
     */
    public S eventId(String id) {
        eventId = id;
        return self();
    }

    /**
     * {@return these, with the time when it happened, now by default}
     *
     * @param time when it happened
     */
    public S timestamp(Instant time) {
        timestamp = time;
        return self();
    }

    /**
     * {@return these, with where and how it happened: ip, locale, campaign …}
     *
     * @param values entries that are sent as they are
     */
    public S context(Map<String, ?> values) {
        context = values;
        return self();
    }

    /**
     * {@return these, with which destinations want it}
     *
     * @param values true, false or a map of options, by name; {@code All} stands for the rest
     */
    public S integrations(Map<String, ?> values) {
        integrations = values;
        return self();
    }

    /**
     * {@return these, with a deadline of its own; a draft has none}
     *
     * @param value more than 0
     */
    public S timeout(Duration value) {
        timeout = value;
        return self();
    }
}
