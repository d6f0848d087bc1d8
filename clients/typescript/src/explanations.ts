/**
 * The walk of one decision as a caller sees it: rules, their conditions, where the user was bucketed. Read-only values.
 *
 * Nothing here knows protobuf or a transport. The meaning of each field is fixed by proto/sidecar/v1/explain.proto; the
 * words of an enum are those of the contract without their prefix.
 */
import type { DecideOption, Decision, Reason, RuleType } from "./decisions.js";
import type { Value } from "./values.js";

/** The buckets startBucket ≤ bucket < endBucket, in hundredths of a percent of traffic. */
export interface BucketRange {
  /** The first bucket of the range. */
  readonly startBucket: number;
  /** The first bucket after it. */
  readonly endBucket: number;
  /** The variation's or experiment's id; empty = nobody. */
  readonly entityId: string;
  /** Its key. */
  readonly entityKey: string;
}

/** One draw: hash, then bucket, then range. */
export interface Bucketing {
  /** What was hashed, first half. */
  readonly bucketingId: string;
  /** What was hashed, second half. */
  readonly entityId: string;
  /** 0 ≤ hash < 2^32. */
  readonly hash: number;
  /** 0 ≤ bucket < 10,000. */
  readonly bucket: number;
  /** The allocation, in datafile order. */
  readonly ranges: readonly BucketRange[];
  /** The entity whose range holds the bucket; empty = none. */
  readonly chosenEntityId: string;
}

/** One node of an audience. */
export interface Condition {
  /** `AND`, `OR`, `NOT`, `AUDIENCE` or `COMPARISON`. */
  readonly kind: string;
  /** `TRUE`, `FALSE` or `UNKNOWN`. */
  readonly truth: string;
  /** What an AND, OR, NOT or AUDIENCE stands over. */
  readonly children: readonly Condition[];
  /** Of an AUDIENCE: its id. */
  readonly audienceId: string;
  /** Of an AUDIENCE: its name. */
  readonly audienceName: string;
  /** Of a COMPARISON: the attribute's key. */
  readonly attributeKey: string;
  /** Of a COMPARISON: the match type, as `exact`. */
  readonly match: string;
  /** The value that the datafile wants; undefined when the match takes none. Null is a value. */
  readonly wanted: Value | undefined;
  /** The value that the user has; undefined when it has none. Null is a value. */
  readonly seen: Value | undefined;
  /** Why it is UNKNOWN, in English. */
  readonly note: string;
}

/** One rule or holdout as it was tried. */
export interface ExplainedRule {
  /** The rule's key. */
  readonly ruleKey: string;
  /** The rule's id. */
  readonly ruleId: string;
  /** What kind of rule it is. */
  readonly ruleType: RuleType;
  /** What became of it, as `CHOSEN` or `AUDIENCE_MISSED`. */
  readonly result: string;
  /** The step that chose the variation. */
  readonly reason: Reason;
  /** The variation chosen here; empty = none. */
  readonly variationKey: string;
  /** The rule's status as the datafile spells it. */
  readonly status: string;
  /** The holdouts of this rule alone. */
  readonly localHoldouts: readonly ExplainedRule[];
  /** The audience as it was evaluated; undefined = everybody, or not reached. */
  readonly audience: Condition | undefined;
  /** The choice of one experiment in a group; undefined = no group, or not reached. */
  readonly groupBucketing: Bucketing | undefined;
  /** The choice of the variation; undefined = not reached. */
  readonly bucketing: Bucketing | undefined;
  /** The same in English. */
  readonly notes: readonly string[];
}

/** Why a user gets a variation. Nothing was recorded for it. */
export interface Explanation {
  /** The decision, with all reasons; its `decisionId` is empty. */
  readonly decision: Decision;
  /** The revision it was made with. */
  readonly revision: string;
  /** What was hashed for the user. */
  readonly bucketingId: string;
  /** Whether it would make an impression, were it a Decide. */
  readonly makesImpression: boolean;
  /** The rules in the order they are tried, also those not reached. */
  readonly rules: readonly ExplainedRule[];
}

/** What `explain` takes besides the flag. */
export interface ExplainOptions {
  /** Added to the sidecar's default options. */
  readonly options?: readonly DecideOption[];
  /** The deadline, in milliseconds, above the client's own `statusTimeoutMs`. */
  readonly timeoutMs?: number;
}
