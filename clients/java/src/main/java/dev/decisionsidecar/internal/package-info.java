/**
 * The private half of the client: calls as values, the loops that drive them, gRPC. No part of the public surface: it
 * may change in any release.
 */
package dev.decisionsidecar.internal;
