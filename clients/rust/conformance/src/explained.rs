//! An EXPLANATION in the canonical form: the fields of explain.proto by their names.

use decision_sidecar_client::explanation::{Bucketing, Condition, ExplainedRule, Explanation};
use serde_json::{Value as Json, json};

use crate::canonical::{decision, value};

pub(crate) fn explanation(answered: &Explanation) -> Json {
    json!({
        "decision": decision(&answered.decision, &Json::Null),
        "revision": answered.revision,
        "bucketing_id": answered.bucketing_id,
        "makes_impression": answered.makes_impression,
        "rules": answered.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(given: &ExplainedRule) -> Json {
    json!({
        "rule_key": given.rule_key,
        "rule_id": given.rule_id,
        "rule_type": given.rule_type.as_str(),
        "result": given.result.as_str(),
        "reason": given.reason.as_str(),
        "variation_key": given.variation_key,
        "status": given.status,
        "local_holdouts": given.local_holdouts.iter().map(rule).collect::<Vec<_>>(),
        "audience": given.audience.as_ref().map(condition),
        "group_bucketing": given.group_bucketing.as_ref().map(bucketing),
        "bucketing": given.bucketing.as_ref().map(bucketing),
        "notes": given.notes,
    })
}

fn condition(given: &Condition) -> Json {
    let mut form = json!({
        "kind": given.kind.as_str(),
        "truth": given.truth.as_str(),
        "children": given.children.iter().map(condition).collect::<Vec<_>>(),
        "audience_id": given.audience_id,
        "audience_name": given.audience_name,
        "attribute_key": given.attribute_key,
        "match": given.match_type,
        "note": given.note,
    });
    // Left out when absent, since null is a value.
    for (name, compared) in [("wanted", &given.wanted), ("seen", &given.seen)] {
        if let Some(compared) = compared {
            form[name] = value(compared);
        }
    }
    form
}

fn bucketing(given: &Bucketing) -> Json {
    let ranges = given.ranges.iter().map(|each| {
        json!({
            "start_bucket": each.start_bucket,
            "end_bucket": each.end_bucket,
            "entity_id": each.entity_id,
            "entity_key": each.entity_key,
        })
    });
    json!({
        "bucketing_id": given.bucketing_id,
        "entity_id": given.entity_id,
        "hash": given.hash,
        "bucket": given.bucket,
        "ranges": ranges.collect::<Vec<_>>(),
        "chosen_entity_id": given.chosen_entity_id,
    })
}
