package dev.decisionsidecar;

import java.util.List;

/**
 * One draw: hash, bucket, range.
 *
 * @param bucketingId what was hashed, first half
 * @param entityId what was hashed, second half: the id of the experiment, group or holdout
 * @param hash murmur3 of both, 0 ≤ hash &lt; 2^32
 * @param bucket 0 ≤ bucket &lt; 10,000
 * @param ranges the allocation, in datafile order
 * @param chosenEntityId the entity whose range holds the bucket; empty = none
 */
public record Bucketing(
        String bucketingId, String entityId, long hash, int bucket, List<BucketRange> ranges, String chosenEntityId) {
    /**
     * Copies the list.
     *
     * @param bucketingId as above
     * @param entityId as above
     * @param hash as above
     * @param bucket as above
     * @param ranges as above
     * @param chosenEntityId as above
     */
    public Bucketing {
        ranges = List.copyOf(ranges);
    }
}
