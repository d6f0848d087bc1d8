/**
 * The seam under the client: bytes to a method, bytes back.
 *
 * <p>gRPC's implementation is private, the fake's is in {@code testing}; another needs nothing but what is written here.
 */
package dev.decisionsidecar.transport;
