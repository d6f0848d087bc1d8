package dev.decisionsidecar;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A call that was not answered; the kinds are divided by whose fault they are.
 *
 * <p>A retry of {@code track} and its sisters passes the {@link #eventId()} of this exception, so that the event is
 * never recorded twice. None of these is gRPC's own.
 */
public abstract sealed class SidecarException extends RuntimeException
        permits RequestRefusedException,
                AccessDeniedException,
                NotReadyException,
                UnavailableException,
                DeadlinePassedException,
                RefusedException,
                ClientClosedException,
                SidecarFaultException {
    private static final long serialVersionUID = 1L;

    private final transient Fault fault;
    /** The full method name. */
    private final String method;
    /** The event's id. */
    private final String eventId;

    private transient volatile Imported imported;

    /**
     * An error of one call.
     *
     * @param fault what it said
     * @param method the full method name
     * @param eventId the event's id; empty when the call brings none
     */
    SidecarException(Fault fault, String method, String eventId) {
        super(described(fault, method));
        this.fault = fault;
        this.method = method;
        this.eventId = eventId;
    }

    private static String described(Fault fault, String method) {
        String where = method.isEmpty() ? "" : method + " failed: ";
        // The sidecar's message has the first violation in it already.
        String rest = fault.violations().stream()
                .map(each -> each.field() + ": " + each.description())
                .filter(each -> !fault.message().contains(each))
                .map(each -> "; " + each)
                .collect(Collectors.joining());
        return where + fault.reason() + ": " + fault.message() + rest;
    }

    /** {@return whether the same call can succeed later} */
    public boolean retryable() {
        return false;
    }

    /** {@return what the failed call said} */
    public Fault fault() {
        return fault;
    }

    /** {@return the sidecar's word for it, as {@code OUTBOX_FULL}; for programs} */
    public String reason() {
        return fault.reason();
    }

    /** {@return gRPC's word for it, as {@code RESOURCE_EXHAUSTED}} */
    public String code() {
        return fault.code();
    }

    /** {@return everything wrong with the request; empty for other errors} */
    public List<Violation> violations() {
        return fault.violations();
    }

    /** {@return how long to wait before a retry; empty when the sidecar did not say} */
    public Optional<Duration> retryAfter() {
        return fault.retryAfter();
    }

    /** {@return the full name of the method that failed; empty when no call was made} */
    public String method() {
        return method;
    }

    /** {@return the id of the event that was not accepted; empty when the call brought none} */
    public String eventId() {
        return eventId;
    }

    /**
     * {@return of an import that broke off, what became of the events before} The rest starts at what was accepted and
     * refused. Empty for every other call.
     */
    public Optional<Imported> imported() {
        return Optional.ofNullable(imported);
    }

    void broke(Imported before) {
        imported = before;
    }
}
