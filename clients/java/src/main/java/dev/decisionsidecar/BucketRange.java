package dev.decisionsidecar;

/**
 * The buckets from the first up to, and without, the second, in hundredths of a percent of traffic.
 *
 * @param startBucket the first bucket of the range
 * @param endBucket the first bucket after it
 * @param entityId the variation's or experiment's id; empty = nobody
 * @param entityKey its key; empty = nobody, or unknown to the datafile
 */
public record BucketRange(int startBucket, int endBucket, String entityId, String entityKey) {}
