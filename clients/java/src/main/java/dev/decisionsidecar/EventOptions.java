package dev.decisionsidecar;

/** What {@code identify}, {@code group} and {@code alias} take besides. */
public final class EventOptions extends CommonOptions<EventOptions> {
    private EventOptions() {}

    /** {@return options that say nothing yet} */
    public static EventOptions with() {
        return new EventOptions();
    }

    @Override
    EventOptions self() {
        return this;
    }
}
