/**
 * Decisions and events from the decision sidecar in your pod.
 *
 * <p>{@link dev.decisionsidecar.SidecarClient} connects, {@link dev.decisionsidecar.User} decides and records. Values
 * are immutable; money is {@link java.math.BigDecimal}; times are UTC. Failed calls are {@link
 * dev.decisionsidecar.SidecarException}; wrong arguments are {@link java.lang.IllegalArgumentException}, with the path of
 * the value. For unit tests: {@link dev.decisionsidecar.testing.FakeSidecar}.
 */
package dev.decisionsidecar;
