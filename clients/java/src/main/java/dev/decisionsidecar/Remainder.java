package dev.decisionsidecar;

/**
 * What one destination has still to get.
 *
 * @param destination the destination's configured name
 * @param events events accepted before the flush and neither delivered nor dead
 * @param pauseReason why it is paused; empty when it is not
 */
public record Remainder(String destination, long events, String pauseReason) {}
