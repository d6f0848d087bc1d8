package dev.decisionsidecar.conformance;

import static dev.decisionsidecar.conformance.Canonical.form;

import dev.decisionsidecar.Bucketing;
import dev.decisionsidecar.Condition;
import dev.decisionsidecar.ExplainedRule;
import dev.decisionsidecar.Explanation;
import java.util.List;
import java.util.Map;

/** An EXPLANATION in the canonical form: the fields of explain.proto by their names. */
final class Explanations {
    private Explanations() {}

    static Object explanation(Explanation answered) {
        return form(
                "decision", Canonical.decision(answered.decision(), Step.EMPTY),
                "revision", answered.revision(),
                "bucketing_id", answered.bucketingId(),
                "makes_impression", answered.makesImpression(),
                "rules", rules(answered.rules()));
    }

    private static List<Map<String, Object>> rules(List<ExplainedRule> rules) {
        return rules.stream().map(Explanations::rule).toList();
    }

    private static Map<String, Object> rule(ExplainedRule rule) {
        return form(
                "rule_key", rule.ruleKey(),
                "rule_id", rule.ruleId(),
                "rule_type", rule.ruleType().name(),
                "result", rule.result(),
                "reason", rule.reason().name(),
                "variation_key", rule.variationKey(),
                "status", rule.status(),
                "local_holdouts", rules(rule.localHoldouts()),
                "audience", rule.audience().map(Explanations::condition).orElse(null),
                "group_bucketing",
                        rule.groupBucketing().map(Explanations::bucketing).orElse(null),
                "bucketing", rule.bucketing().map(Explanations::bucketing).orElse(null),
                "notes", rule.notes());
    }

    private static Map<String, Object> condition(Condition condition) {
        Map<String, Object> form = form(
                "kind", condition.kind(),
                "truth", condition.truth(),
                "children",
                        condition.children().stream()
                                .map(Explanations::condition)
                                .toList(),
                "audience_id", condition.audienceId(),
                "audience_name", condition.audienceName(),
                "attribute_key", condition.attributeKey(),
                "match", condition.match(),
                "note", condition.note());
        condition.wanted().ifPresent(each -> form.put("wanted", Canonical.value(each.value())));
        condition.seen().ifPresent(each -> form.put("seen", Canonical.value(each.value())));
        return form;
    }

    private static Map<String, Object> bucketing(Bucketing bucketing) {
        return form(
                "bucketing_id", bucketing.bucketingId(),
                "entity_id", bucketing.entityId(),
                "hash", bucketing.hash(),
                "bucket", bucketing.bucket(),
                "ranges",
                        bucketing.ranges().stream()
                                .map(each -> form(
                                        "start_bucket", each.startBucket(),
                                        "end_bucket", each.endBucket(),
                                        "entity_id", each.entityId(),
                                        "entity_key", each.entityKey()))
                                .toList(),
                "chosen_entity_id", bucketing.chosenEntityId());
    }
}
