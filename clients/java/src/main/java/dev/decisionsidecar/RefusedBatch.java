package dev.decisionsidecar;

/**
 * Events of an import that the sidecar refused together, and why.
 *
 * @param firstIndex the place of the first among all that were given, from 0; the violations of the error count from
 *     it: {@code events[2].user_id} is event {@code firstIndex + 2}
 * @param events how many
 * @param error why
 */
public record RefusedBatch(long firstIndex, int events, RequestRefusedException error) {}
