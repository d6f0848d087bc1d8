package dev.decisionsidecar;

import java.util.List;

/**
 * Why a user gets a variation. Nothing was recorded for it.
 *
 * @param decision the decision, with all reasons
 * @param revision the datafile's revision
 * @param bucketingId what was hashed for the user
 * @param makesImpression whether it would make an impression, were it decided
 * @param rules the rules in the order they are tried, also those not reached
 */
public record Explanation(
        Decision decision, String revision, String bucketingId, boolean makesImpression, List<ExplainedRule> rules) {
    /**
     * Copies the list.
     *
     * @param decision as above
     * @param revision as above
     * @param bucketingId as above
     * @param makesImpression as above
     * @param rules as above
     */
    public Explanation {
        rules = List.copyOf(rules);
    }
}
