package dev.decisionsidecar;

/**
 * A value that stood in a comparison. A type of its own, since null is a value.
 *
 * @param value null, a boolean, a long, a double, a text, a list or a map
 */
public record Compared(Object value) {}
