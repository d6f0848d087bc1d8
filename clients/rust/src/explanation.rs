//! The walk of one decision as a caller sees it: rules, their conditions, where the user was bucketed.
//!
//! The meaning of each field is fixed by proto/sidecar/v1/explain.proto.

use crate::decisions::{Decision, Reason, RuleType};
use crate::value::Value;
use crate::words::words;

/// Why a user gets a variation. Nothing was recorded for it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The decision, exactly as it would be answered, with all reasons.
    pub decision: Decision,
    /// The revision that it was made with.
    pub revision: String,
    /// What was hashed for the user.
    pub bucketing_id: String,
    /// Whether the decision would make an impression.
    pub makes_impression: bool,
    /// The rules in the order they are tried; also those not reached.
    pub rules: Vec<ExplainedRule>,
}

/// One rule or holdout as it was tried.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExplainedRule {
    /// The rule's key.
    pub rule_key: String,
    /// The rule's id.
    pub rule_id: String,
    /// What kind of rule it is.
    pub rule_type: RuleType,
    /// What became of it.
    pub result: RuleResult,
    /// The step that chose the variation.
    pub reason: Reason,
    /// The variation chosen here.
    pub variation_key: String,
    /// The rule's status as the datafile spells it.
    pub status: String,
    /// The holdouts of this rule alone.
    pub local_holdouts: Vec<ExplainedRule>,
    /// The audience; none when everybody is in, or evaluation did not get there.
    pub audience: Option<Condition>,
    /// The choice of one experiment in a group of exclusive ones.
    pub group_bucketing: Option<Bucketing>,
    /// The choice of the variation.
    pub bucketing: Option<Bucketing>,
    /// The same in English.
    pub notes: Vec<String>,
}

words! {
    /// What became of one rule.
    RuleResult {
        /// This rule decided.
        Chosen = 1 "CHOSEN",
        /// An earlier step decided, or the walk jumped past it.
        NotReached = 2 "NOT_REACHED",
        /// Its status is not `Running`.
        NotRunning = 3 "NOT_RUNNING",
        /// The audience is false or unknown.
        AudienceMissed = 4 "AUDIENCE_MISSED",
        /// The audience is true, but the bucket lies in no range that leads to a variation.
        TrafficMissed = 5 "TRAFFIC_MISSED",
        /// A contextual bandit.
        CmabUnsupported = 6 "CMAB_UNSUPPORTED",
        /// A holdout took the user away from it; on the holdout: it left the decision to targeted deliveries.
        HeldOut = 7 "HELD_OUT",
    }
}

/// One node of an audience.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// What the node is.
    pub kind: ConditionKind,
    /// What it came to.
    pub truth: Truth,
    /// What an operator or audience stands over.
    pub children: Vec<Condition>,
    /// Of an audience: its id.
    pub audience_id: String,
    /// Of an audience: its name.
    pub audience_name: String,
    /// Of a comparison: the attribute's key.
    pub attribute_key: String,
    /// Of a comparison: how it compares, as `semver_ge`.
    pub match_type: String,
    /// Of a comparison: the value that the datafile wants; none when it takes none.
    pub wanted: Option<Value>,
    /// Of a comparison: the value that the user has; none when there is none that can be compared.
    pub seen: Option<Value>,
    /// Why it is unknown, in English.
    pub note: String,
}

words! {
    /// What a node of an audience is.
    ConditionKind {
        /// All must hold.
        And = 1 "AND",
        /// One must hold.
        Or = 2 "OR",
        /// It must not hold.
        Not = 3 "NOT",
        /// An audience, by its id.
        Audience = 4 "AUDIENCE",
        /// One comparison of one attribute.
        Comparison = 5 "COMPARISON",
    }
}

words! {
    /// Three-valued logic.
    Truth {
        /// It holds.
        True = 1 "TRUE",
        /// It does not hold.
        False = 2 "FALSE",
        /// It cannot be said.
        Unknown = 3 "UNKNOWN",
    }
}

/// One draw: hash, bucket, range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bucketing {
    /// What was hashed, first half.
    pub bucketing_id: String,
    /// What was hashed, second half: the id of the experiment, group or holdout.
    pub entity_id: String,
    /// The hash.
    pub hash: u32,
    /// The bucket, 0 to 9,999, in hundredths of a percent of traffic.
    pub bucket: u32,
    /// The allocation, in datafile order.
    pub ranges: Vec<BucketRange>,
    /// The entity whose range holds the bucket; empty when none does.
    pub chosen_entity_id: String,
}

/// One range of traffic: the buckets from `start_bucket` up to, but not with, `end_bucket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketRange {
    /// Its first bucket.
    pub start_bucket: u32,
    /// The first bucket after it.
    pub end_bucket: u32,
    /// The variation's or experiment's id.
    pub entity_id: String,
    /// The variation's or experiment's key.
    pub entity_key: String,
}
