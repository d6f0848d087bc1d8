/** An EXPLANATION in the canonical form: the fields of explain.proto by their names. */
import type { Bucketing, Condition, ExplainedRule, Explanation } from "@decision-sidecar/client";

import { decision, type Form, value } from "./canonical.js";

/** An EXPLANATION. */
export function explanation(answered: Explanation): Form {
  return {
    decision: decision(answered.decision, undefined),
    revision: answered.revision,
    bucketing_id: answered.bucketingId,
    makes_impression: answered.makesImpression,
    rules: answered.rules.map(rule),
  };
}

function rule(one: ExplainedRule): Form {
  return {
    rule_key: one.ruleKey,
    rule_id: one.ruleId,
    rule_type: one.ruleType,
    result: one.result,
    reason: one.reason,
    variation_key: one.variationKey,
    status: one.status,
    local_holdouts: one.localHoldouts.map(rule),
    audience: one.audience === undefined ? null : condition(one.audience),
    group_bucketing: one.groupBucketing === undefined ? null : bucketing(one.groupBucketing),
    bucketing: one.bucketing === undefined ? null : bucketing(one.bucketing),
    notes: one.notes,
  };
}

function condition(one: Condition): Form {
  return {
    kind: one.kind,
    truth: one.truth,
    children: one.children.map(condition),
    audience_id: one.audienceId,
    audience_name: one.audienceName,
    attribute_key: one.attributeKey,
    match: one.match,
    ...(one.wanted === undefined ? {} : { wanted: value(one.wanted) }),
    ...(one.seen === undefined ? {} : { seen: value(one.seen) }),
    note: one.note,
  };
}

function bucketing(one: Bucketing): Form {
  return {
    bucketing_id: one.bucketingId,
    entity_id: one.entityId,
    hash: one.hash,
    bucket: one.bucket,
    ranges: one.ranges.map((each) => ({
      start_bucket: each.startBucket,
      end_bucket: each.endBucket,
      entity_id: each.entityId,
      entity_key: each.entityKey,
    })),
    chosen_entity_id: one.chosenEntityId,
  };
}
