package dev.decisionsidecar;

import dev.decisionsidecar.internal.EventMessage;

/** An event that is complete, id and time included, and not sent yet, as {@link SidecarClient#importEvents} takes it. */
public final class Draft {
    final EventMessage message;

    Draft(EventMessage message) {
        this.message = message;
    }

    /** {@return {@code track}, {@code identify}, {@code page}, {@code screen}, {@code group} or {@code alias}} */
    public String kind() {
        return message.kind();
    }

    /** {@return the event's id} */
    public String eventId() {
        return message.eventId();
    }

    @Override
    public String toString() {
        return "Draft[" + kind() + ", " + eventId() + "]";
    }
}
