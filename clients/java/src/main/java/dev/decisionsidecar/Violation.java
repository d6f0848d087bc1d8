package dev.decisionsidecar;

/**
 * One thing wrong with one field of a request.
 *
 * @param field its path, as {@code event_tags[revenue]}
 * @param description what is wrong with it, in English
 */
public record Violation(String field, String description) {}
