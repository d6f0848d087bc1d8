/** A sidecar in memory, for unit tests of code that uses the client: fixed decisions, recorded events. */
package dev.decisionsidecar.testing;
