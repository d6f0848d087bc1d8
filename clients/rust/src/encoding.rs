//! Values to `Value` of the contract and back. What has no wire form is found here, with its path.

use std::collections::BTreeMap;

use crate::errors::Misfit;
use crate::pb;
use crate::pb::value::Kind;
use crate::value::Value;

/// Nesting of lists and maps in one value; a scalar has depth 0. The sidecar's own bound.
const DEPTH_MAX: usize = 32;

/// Encode `value` as the entry `key` of the map `target`, called `place` in errors, as `attributes`.
pub(crate) fn put(
    target: &mut BTreeMap<String, pb::Value>,
    place: &str,
    key: String,
    value: Value,
) -> Result<(), Misfit> {
    if let Some(path) = too_deep(&value, 0) {
        let description = format!("is nested deeper than {DEPTH_MAX} levels");
        return Err(Misfit { field: format!("{place}[{key}]{path}"), description });
    }
    target.insert(key, encoded(value));
    Ok(())
}

/// Where a value goes too deep, as a path from it.
fn too_deep(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::List(_) | Value::Map(_) if depth == DEPTH_MAX => Some(String::new()),
        Value::List(elements) => {
            let mut places = elements.iter().enumerate();
            places.find_map(|(index, each)| too_deep(each, depth + 1).map(|path| format!("[{index}]{path}")))
        }
        Value::Map(entries) => {
            entries.iter().find_map(|(key, each)| too_deep(each, depth + 1).map(|path| format!("[{key}]{path}")))
        }
        _ => None,
    }
}

pub(crate) fn encoded(value: Value) -> pb::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(truth),
        Value::Int(number) => Kind::IntValue(number),
        Value::Double(number) => Kind::DoubleValue(number),
        Value::String(text) => Kind::StringValue(text),
        Value::List(elements) => Kind::ListValue(pb::ValueList { values: elements.into_iter().map(encoded).collect() }),
        Value::Map(entries) => Kind::MapValue(pb::ValueMap { fields: all_encoded(entries) }),
    };
    pb::Value { kind: Some(kind) }
}

pub(crate) fn all_encoded(entries: BTreeMap<String, Value>) -> BTreeMap<String, pb::Value> {
    entries.into_iter().map(|(key, value)| (key, encoded(value))).collect()
}

/// The value of a message; one without a kind, or of a kind that this client does not know, is null.
pub(crate) fn decoded(message: pb::Value) -> Value {
    match message.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::IntValue(number)) => Value::Int(number),
        Some(Kind::DoubleValue(number)) => Value::Double(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => Value::List(list.values.into_iter().map(decoded).collect()),
        Some(Kind::MapValue(map)) => Value::Map(all_decoded(map.fields)),
    }
}

pub(crate) fn all_decoded(entries: BTreeMap<String, pb::Value>) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(key, value)| (key, decoded(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        for value in [
            Value::Null,
            true.into(),
            ((1_i64 << 53) + 1).into(),
            i64::MIN.into(),
            0.1.into(),
            "ä\u{1F600}".into(),
            Value::from(vec![1, 2]),
            Value::from_iter([("a", Value::Null), ("b", [0.5].into())]),
        ] {
            assert_eq!(decoded(encoded(value.clone())), value);
        }
    }

    #[test]
    fn a_value_of_32_levels_has_a_wire_form_and_one_of_33_is_named_by_its_path() {
        let mut target = BTreeMap::new();
        assert!(put(&mut target, "tags", "deep".to_owned(), nested(DEPTH_MAX)).is_ok());
        let entries = Value::from_iter([("inner", nested(DEPTH_MAX))]);
        let misfit = put(&mut target, "tags", "deeper".to_owned(), entries).unwrap_err();
        assert_eq!(misfit.field, format!("tags[deeper][inner]{}", "[0]".repeat(DEPTH_MAX - 1)));
        assert!(!target.contains_key("deeper"));
    }
}
