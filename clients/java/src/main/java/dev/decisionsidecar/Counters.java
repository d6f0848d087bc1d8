package dev.decisionsidecar;

/**
 * What a client has been through until now, for the metrics of the service that holds it.
 *
 * @param decisionsDefaulted calls for decisions that were answered with the caller's default
 * @param retries tries after the first, of any call
 * @param eventsDropped events that the buffer gave up: past its bounds, refused when sent at last, or left at close
 * @param eventsBuffered events in the buffer now; the only one that falls
 */
public record Counters(long decisionsDefaulted, long retries, long eventsDropped, long eventsBuffered) {}
