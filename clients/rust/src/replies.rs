//! Replies to values: the only reader of responses. An unknown enum number is unspecified, never an error.

use std::time::SystemTime;

use prost_types::Timestamp;

use crate::decisions::{Decision, Decisions, Reason, RuleType};
use crate::encoding::{all_decoded, decoded};
use crate::events::{Accepted, Outcome, OutcomeState};
use crate::explanation::{
    BucketRange, Bucketing, Condition, ConditionKind, ExplainedRule, Explanation, RuleResult, Truth,
};
use crate::faults::message_of;
use crate::pb;
use crate::status::{DatafileChange, DatafileStatus, DatafileWarning, Flushed, Remainder};
use crate::variables::Variables;

pub(crate) fn decisions(message: pb::DecideResponse) -> Decisions {
    let pb::DecideResponse { decisions, revision, decision_id } = message;
    let decisions = decisions.into_iter().map(|each| decision(each, &revision, &decision_id)).collect();
    Decisions { decisions, revision, decision_id, error_reason: String::new() }
}

pub(crate) fn decision(message: pb::Decision, revision: &str, decision_id: &str) -> Decision {
    Decision {
        variables: Variables { flag_key: message.flag_key.clone(), values: all_decoded(message.variables) },
        flag_key: message.flag_key,
        variation_key: message.variation_key,
        enabled: message.enabled,
        rule_key: message.rule_key,
        rule_type: RuleType::of(message.rule_type),
        reason: Reason::of(message.reason.max(0)),
        experiment_id: message.experiment_id,
        variation_id: message.variation_id,
        reasons: message.reasons,
        revision: revision.to_owned(),
        decision_id: decision_id.to_owned(),
        error_reason: String::new(),
    }
}

/// The answer to any of the six events: of `Track` and, with the same fields but the last, of the others.
pub(crate) fn accepted(message: pb::TrackResponse) -> Accepted {
    Accepted {
        event_id: message.event_id,
        outcomes: message.outcomes.into_iter().map(outcome).collect(),
        exposure_seen_here: message.exposure_seen_here,
        buffered: false,
    }
}

pub(crate) fn outcome(message: pb::Outcome) -> Outcome {
    Outcome { destination: message.destination, state: OutcomeState::of(message.state), reason: message.reason }
}

pub(crate) fn flushed(message: pb::FlushResponse, buffered: usize) -> Flushed {
    let remainders = message.remainders.into_iter().map(|each| Remainder {
        destination: each.destination,
        events: count(each.events),
        pause_reason: each.pause_reason,
    });
    Flushed { remainders: remainders.collect(), buffered }
}

pub(crate) fn status(message: pb::GetStatusResponse) -> DatafileStatus {
    let warnings = message.warnings.into_iter().map(|each| DatafileWarning {
        path: each.path,
        description: each.description,
        disabled_flag_key: each.disabled_flag_key,
    });
    DatafileStatus {
        name: message.name,
        revision: message.revision,
        source: message.source,
        loaded_time: message.loaded_time.and_then(time),
        checked_time: message.checked_time.and_then(time),
        stale: message.stale,
        from_cache: message.from_cache,
        last_error: message.last_error.map(|each| message_of(&each)).unwrap_or_default(),
        warnings: warnings.collect(),
    }
}

pub(crate) fn change(message: pb::WatchResponse) -> DatafileChange {
    DatafileChange {
        revision: message.revision,
        loaded_time: message.loaded_time.and_then(time),
        source: message.source,
        warnings: u32::try_from(message.warnings).unwrap_or_default(),
        lost: count(message.lost),
    }
}

pub(crate) fn explanation(message: pb::ExplainResponse) -> Explanation {
    Explanation {
        decision: decision(message.decision.unwrap_or_default(), &message.revision, ""),
        revision: message.revision,
        bucketing_id: message.bucketing_id,
        makes_impression: message.makes_impression,
        rules: message.rules.into_iter().map(rule).collect(),
    }
}

fn rule(message: pb::ExplainedRule) -> ExplainedRule {
    ExplainedRule {
        rule_key: message.rule_key,
        rule_id: message.rule_id,
        rule_type: RuleType::of(message.rule_type),
        result: RuleResult::of(message.result),
        reason: Reason::of(message.reason.max(0)),
        variation_key: message.variation_key,
        status: message.status,
        local_holdouts: message.local_holdouts.into_iter().map(rule).collect(),
        audience: message.audience.map(condition),
        group_bucketing: message.group_bucketing.map(bucketing),
        bucketing: message.bucketing.map(bucketing),
        notes: message.notes,
    }
}

fn condition(message: pb::ExplainedCondition) -> Condition {
    Condition {
        kind: ConditionKind::of(message.kind),
        truth: Truth::of(message.truth),
        children: message.children.into_iter().map(condition).collect(),
        audience_id: message.audience_id,
        audience_name: message.audience_name,
        attribute_key: message.attribute_key,
        match_type: message.r#match,
        wanted: message.wanted.map(decoded),
        seen: message.seen.map(decoded),
        note: message.note,
    }
}

fn bucketing(message: pb::ExplainedBucketing) -> Bucketing {
    let ranges = message.ranges.into_iter().map(|each| BucketRange {
        start_bucket: each.start_bucket,
        end_bucket: each.end_bucket,
        entity_id: each.entity_id,
        entity_key: each.entity_key,
    });
    Bucketing {
        bucketing_id: message.bucketing_id,
        entity_id: message.entity_id,
        hash: message.hash,
        bucket: message.bucket,
        ranges: ranges.collect(),
        chosen_entity_id: message.chosen_entity_id,
    }
}

fn time(message: Timestamp) -> Option<SystemTime> {
    SystemTime::try_from(message).ok()
}

/// A count that the contract promises not to be negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
