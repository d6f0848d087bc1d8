package dev.decisionsidecar;

import java.util.List;
import java.util.Optional;

/**
 * One rule or holdout as it was tried.
 *
 * @param ruleKey the rule's key
 * @param ruleId the rule's id
 * @param ruleType what kind of rule it is
 * @param result what became of it, as {@code CHOSEN} or {@code AUDIENCE_MISSED}
 * @param reason the step that chose the variation; UNSPECIFIED when this rule chose none
 * @param variationKey the variation chosen here; empty = none
 * @param status the rule's status as the datafile spells it
 * @param localHoldouts the holdouts of this rule alone
 * @param audience the audience as it was evaluated, if it was
 * @param groupBucketing the choice of one experiment in a group of exclusive ones, if it was reached
 * @param bucketing the choice of the variation, if it was reached
 * @param notes the same in English
 */
public record ExplainedRule(
        String ruleKey,
        String ruleId,
        RuleType ruleType,
        String result,
        DecisionReason reason,
        String variationKey,
        String status,
        List<ExplainedRule> localHoldouts,
        Optional<Condition> audience,
        Optional<Bucketing> groupBucketing,
        Optional<Bucketing> bucketing,
        List<String> notes) {
    /**
     * Copies the lists.
     *
     * @param ruleKey as above
     * @param ruleId as above
     * @param ruleType as above
     * @param result as above
     * @param reason as above
     * @param variationKey as above
     * @param status as above
     * @param localHoldouts as above
     * @param audience as above
     * @param groupBucketing as above
     * @param bucketing as above
     * @param notes as above
     */
    public ExplainedRule {
        localHoldouts = List.copyOf(localHoldouts);
        notes = List.copyOf(notes);
    }
}
