//! What the client answered, in the canonical form of clients/conformance/README.md: RFC 8785 and tagged values.

use decision_sidecar_client::{
    Accepted, Decision, Decisions, Error, Imported, OutcomeState, Value, VariableError, Variables,
};
use serde_json::{Value as Json, json};

/// A line of RFC 8785; its numbers are whole, which is all that the forms have.
pub(crate) fn line(form: &Json) -> String {
    match form {
        Json::Object(entries) => {
            let mut members: Vec<_> = entries.iter().collect();
            // RFC 8785 §3.2.3: by UTF-16 code units.
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let listed = members.into_iter().map(|(key, each)| format!("{}:{}", Json::from(key.as_str()), line(each)));
            format!("{{{}}}", listed.collect::<Vec<_>>().join(","))
        }
        Json::Array(elements) => format!("[{}]", elements.iter().map(line).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

/// A VALUE of an answer.
pub(crate) fn value(given: &Value) -> Json {
    match given {
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!({"int": number.to_string()}),
        Value::Double(number) if number.is_nan() => json!({"double": "7ff8000000000000"}),
        Value::Double(number) => json!({"double": format!("{:016x}", number.to_bits())}),
        Value::String(text) => json!(text),
        Value::List(elements) => json!({"list": elements.iter().map(value).collect::<Vec<_>>()}),
        Value::Map(entries) => {
            let form: serde_json::Map<_, _> = entries.iter().map(|(key, each)| (key.clone(), value(each))).collect();
            json!({"map": form})
        }
        Value::Null => Json::Null,
    }
}

fn values(given: &Variables) -> Json {
    given.iter().map(|(key, each)| (key.clone(), value(each))).collect::<serde_json::Map<_, _>>().into()
}

/// An id: as it is when the step gave it, or when it is no UUID.
fn named(id: &str, given: &Json) -> Json {
    let places = [8, 13, 18, 23];
    let is_hex = |each| matches!(each, '0'..='9' | 'a'..='f');
    let fits = |(place, each)| if places.contains(&place) { each == '-' } else { is_hex(each) };
    let is_uuid = id.len() == 36 && id.char_indices().all(fits);
    if is_uuid && given.as_str().unwrap_or_default().is_empty() { json!("<uuid>") } else { json!(id) }
}

/// A DECISION.
pub(crate) fn decision(answered: &Decision, step: &Json) -> Json {
    let reasons = if answered.error_reason.is_empty() { answered.reasons.as_slice() } else { &[] };
    json!({
        "flag_key": answered.flag_key,
        "variation_key": answered.variation_key,
        "enabled": answered.enabled,
        "variables": values(&answered.variables),
        "rule_key": answered.rule_key,
        "rule_type": answered.rule_type.as_str(),
        "reason": answered.reason.as_str(),
        "experiment_id": answered.experiment_id,
        "variation_id": answered.variation_id,
        "reasons": reasons,
        "revision": answered.revision,
        "decision_id": named(&answered.decision_id, &step["decision_id"]),
        "error_reason": answered.error_reason,
    })
}

/// DECISIONS.
pub(crate) fn decisions(answered: &Decisions, step: &Json) -> Json {
    json!({
        "decisions": answered.iter().map(|each| decision(each, step)).collect::<Vec<_>>(),
        "revision": answered.revision,
        "decision_id": named(&answered.decision_id, &step["decision_id"]),
        "error_reason": answered.error_reason,
    })
}

/// ACCEPTED.
pub(crate) fn accepted(answered: &Accepted, step: &Json) -> Json {
    let outcomes = answered.outcomes.iter();
    let outcomes = outcomes.map(|each| outcome(&each.destination, each.state, &each.reason));
    json!({
        "event_id": named(&answered.event_id, &step["event_id"]),
        "outcomes": outcomes.collect::<Vec<_>>(),
        "exposure_seen_here": answered.exposure_seen_here,
        "buffered": answered.buffered,
    })
}

fn outcome(destination: &str, state: OutcomeState, reason: &str) -> Json {
    json!({"destination": destination, "state": state.as_str(), "reason": reason})
}

/// IMPORTED.
pub(crate) fn imported(answered: &Imported) -> Json {
    let mut outcomes: Vec<_> = answered.outcomes.iter().collect();
    outcomes.sort_by_key(|(each, _)| (each.destination.clone(), each.state.as_str(), each.reason.clone()));
    let outcomes = outcomes.into_iter().map(|(each, events)| {
        let mut form = outcome(&each.destination, each.state, &each.reason);
        form["events"] = json!(events);
        form
    });
    let refused = answered.refused.iter().map(|each| {
        json!({"first_index": each.first_index, "events": each.events, "error": error(&each.error, &Json::Null)})
    });
    json!({
        "accepted": answered.accepted,
        "repeated": answered.repeated,
        "refused": refused.collect::<Vec<_>>(),
        "outcomes": outcomes.collect::<Vec<_>>(),
    })
}

/// An ERROR of the sidecar, or of the client itself.
pub(crate) fn error(raised: &Error, step: &Json) -> Json {
    let violations = raised.violations().iter();
    let violations = violations.map(|each| json!({"field": each.field, "description": each.description}));
    let kind = match raised {
        Error::RequestRefused(_) => "RequestRefused",
        Error::AccessDenied(_) => "AccessDenied",
        Error::NotReady(_) => "NotReady",
        Error::Unavailable(_) => "Unavailable",
        Error::DeadlinePassed(_) => "DeadlinePassed",
        Error::Refused(_) => "Refused",
        Error::ClientClosed(_) => "ClientClosed",
        _ => "SidecarFault",
    };
    json!({
        "kind": kind,
        "code": raised.code(),
        "reason": raised.reason(),
        "violations": violations.collect::<Vec<_>>(),
        "retryable": raised.is_retryable(),
        "retry_after_ms": raised.retry_after().map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
        "event_id": named(raised.event_id(), &step["event_id"]),
    })
}

/// A `VARIABLE_ERROR`.
pub(crate) fn variable_error(raised: &VariableError) -> Json {
    match raised {
        VariableError::TypeMismatch { flag_key, variable_key, got, wanted, .. } => json!({
            "kind": "VariableTypeMismatch",
            "flag_key": flag_key,
            "variable_key": variable_key,
            "got": got.kind(),
            "wanted": wanted,
        }),
        VariableError::Missing { flag_key, variable_key, wanted, .. } => json!({
            "kind": "VariableMissing",
            "flag_key": flag_key,
            "variable_key": variable_key,
            "wanted": wanted,
        }),
        _ => Json::Null,
    }
}
