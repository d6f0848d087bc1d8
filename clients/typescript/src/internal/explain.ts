/** The call that explains a decision, and the only reader of its reply. No clock, no socket. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

import type { Bucketing, Condition, ExplainedRule, ExplainOptions, Explanation } from "../explanations.js";
import { checkTimeout, type Settings } from "../settings.js";
import type { Call } from "./calls.js";
import { optionNumbers } from "./decide.js";
import { checkText, decode } from "./encoding.js";
import type { Identity } from "./identity.js";
import { Decision as DecisionMessage, ExplainRequest, ExplainResponse } from "./pb/sidecar/v1/decision.js";
import {
  ConditionKind,
  type ExplainedBucketing as BucketingMessage,
  type ExplainedCondition as ConditionMessage,
  type ExplainedRule as RuleMessage,
  RuleResult,
  Truth,
} from "./pb/sidecar/v1/explain.js";
import { decisionOf, reasonOf, ruleTypeOf, wordsOf } from "./replies.js";
import { EVENT_RETRY } from "./retry.js";

const kindOf = wordsOf(ConditionKind, "CONDITION_KIND_");
const resultOf = wordsOf(RuleResult, "RULE_RESULT_");
const truthOf = wordsOf(Truth, "TRUTH_");

/** An Explain. It has no default: it is for people, and an error is what they want to see. */
export function explain(
  user: Identity,
  settings: Settings,
  flagKey: string,
  details: ExplainOptions,
): Call<Explanation> {
  checkText("flagKey", flagKey);
  const timeoutMs = details.timeoutMs ?? settings.statusTimeoutMs;
  checkTimeout("timeoutMs", timeoutMs);
  const rest: ExplainRequest = {
    userId: "",
    attributes: new Map(),
    flagKey,
    options: optionNumbers(details.options),
    forcedDecisions: [],
    qualifiedSegments: undefined,
    datafile: "",
  };
  return {
    method: "/sidecar.v1.DecisionService/Explain",
    // The fields of an ExplainRequest have the numbers of a DecideRequest.
    request: ExplainRequest.encode(rest, new BinaryWriter().raw(user.prefix)).finish(),
    timeoutMs,
    retry: EVENT_RETRY,
    eventId: "",
    decode: read,
    fallback: undefined,
  };
}

function read(reply: Uint8Array): Explanation {
  const { decision, revision, bucketingId, makesImpression, rules } = ExplainResponse.decode(reply);
  return {
    decision: decisionOf(decision ?? DecisionMessage.create(), revision, ""),
    revision,
    bucketingId,
    makesImpression,
    rules: rules.map(ruleOf),
  };
}

function ruleOf(message: RuleMessage): ExplainedRule {
  return {
    ruleKey: message.ruleKey,
    ruleId: message.ruleId,
    ruleType: ruleTypeOf(message.ruleType),
    result: resultOf(message.result),
    reason: reasonOf(message.reason),
    variationKey: message.variationKey,
    status: message.status,
    localHoldouts: message.localHoldouts.map(ruleOf),
    audience: message.audience && conditionOf(message.audience),
    groupBucketing: message.groupBucketing && bucketingOf(message.groupBucketing),
    bucketing: message.bucketing && bucketingOf(message.bucketing),
    notes: message.notes,
  };
}

function conditionOf(message: ConditionMessage): Condition {
  return {
    kind: kindOf(message.kind),
    truth: truthOf(message.truth),
    children: message.children.map(conditionOf),
    audienceId: message.audienceId,
    audienceName: message.audienceName,
    attributeKey: message.attributeKey,
    match: message.match,
    wanted: message.wanted && decode(message.wanted),
    seen: message.seen && decode(message.seen),
    note: message.note,
  };
}

function bucketingOf({ bucketingId, entityId, hash, bucket, ranges, chosenEntityId }: BucketingMessage): Bucketing {
  return {
    bucketingId,
    entityId,
    hash,
    bucket,
    ranges: ranges.map((each) => ({
      startBucket: each.startBucket,
      endBucket: each.endBucket,
      entityId: each.entityId,
      entityKey: each.entityKey,
    })),
    chosenEntityId,
  };
}
