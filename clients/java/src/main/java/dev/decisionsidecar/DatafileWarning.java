package dev.decisionsidecar;

/**
 * One thing wrong with a datafile in force.
 *
 * @param path where
 * @param description what, and what was done about it
 * @param disabledFlagKey the flag that is disabled for it; empty when none is
 */
public record DatafileWarning(String path, String description, String disabledFlagKey) {}
