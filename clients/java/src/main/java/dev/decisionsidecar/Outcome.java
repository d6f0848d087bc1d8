package dev.decisionsidecar;

/**
 * What became of an event at one destination.
 *
 * @param destination the destination's configured name
 * @param state queued or skipped
 * @param reason an upper-case word, and what was left out; empty when all of it is queued
 */
public record Outcome(String destination, OutcomeState state, String reason) {}
