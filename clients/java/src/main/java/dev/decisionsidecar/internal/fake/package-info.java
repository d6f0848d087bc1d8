/** What stands behind {@code testing.FakeSidecar}: a transport in memory, requests to records, values to replies. */
package dev.decisionsidecar.internal.fake;
