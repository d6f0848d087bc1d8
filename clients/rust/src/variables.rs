//! The variables of a decision, read by type: `decision.variables.integer_or("steps", 4)?`.

use std::collections::{BTreeMap, btree_map};

use crate::errors::VariableError;
use crate::value::Value;

/// The variables of one flag by key, typed as declared; null where a value was not of its type.
///
/// A variable that is absent or null is the default of a reader that takes one, and [`VariableError::Missing`] of one
/// that does not. One of another type is a [`VariableError::TypeMismatch`], with or without a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables {
    pub(crate) flag_key: String,
    pub(crate) values: BTreeMap<String, Value>,
}

macro_rules! readers {
    ($($wanted:literal $read:ident $read_or:ident($lifetime:lifetime) -> $type:ty, $reader:expr;)+) => {
        $(
            #[doc = concat!("A variable of type ", $wanted, ".\n\n# Errors\n\nIt is missing, or of another type.")]
            pub fn $read<$lifetime>(&$lifetime self, key: &str) -> Result<$type, VariableError> {
                self.read(key, $wanted, $reader)?.ok_or_else(|| self.missing(key, $wanted))
            }

            #[doc = concat!("A variable of type ", $wanted, ", or the default.\n\n# Errors\n\nIt is of another type.")]
            pub fn $read_or<$lifetime>(&$lifetime self, key: &str, default: $type) -> Result<$type, VariableError> {
                Ok(self.read(key, $wanted, $reader)?.unwrap_or(default))
            }
        )+
    };
}

impl Variables {
    readers! {
        "string" string string_or('a) -> &'a str, Value::as_str;
        "integer" integer integer_or('a) -> i64, Value::as_i64;
        "double" double double_or('a) -> f64, Value::as_f64;
        "boolean" boolean boolean_or('a) -> bool, Value::as_bool;
        "json" json json_or('a) -> &'a Value, |value| matches!(value, Value::List(_) | Value::Map(_)).then_some(value);
    }

    /// The variable as it is; none when the flag has no such variable.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// All of them, by key.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Value> {
        self.values.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn read<'a, T>(
        &'a self,
        key: &str,
        wanted: &'static str,
        reader: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, VariableError> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => reader(value).map(Some).ok_or_else(|| VariableError::TypeMismatch {
                flag_key: self.flag_key.clone(),
                variable_key: key.to_owned(),
                got: value.clone(),
                wanted,
            }),
        }
    }

    fn missing(&self, key: &str, wanted: &'static str) -> VariableError {
        VariableError::Missing { flag_key: self.flag_key.clone(), variable_key: key.to_owned(), wanted }
    }
}

impl<'a> IntoIterator for &'a Variables {
    type Item = (&'a String, &'a Value);
    type IntoIter = btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use crate::Decision;

    #[test]
    fn a_variable_of_another_type_names_flag_variable_got_and_wanted() {
        let decision = Decision::new("paywall").with_variable("days", "seven");
        let error = decision.variables.integer_or("days", 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "variable `days` of flag `paywall` is string `String(\"seven\")`, wanted integer"
        );
    }

    #[test]
    fn a_missing_variable_is_the_default_or_an_error_that_names_it() {
        let decision = Decision::new("paywall").with_variable("nothing", None::<i64>);
        for key in ["days", "nothing"] {
            assert_eq!(decision.variables.integer_or(key, 7), Ok(7));
            let error = decision.variables.integer(key).unwrap_err();
            let wanted = format!("flag `paywall` has no value for variable `{key}`, wanted integer or a default");
            assert_eq!(error.to_string(), wanted);
        }
    }

    #[test]
    fn a_double_takes_an_integer_and_no_integer_a_double() {
        let decision = Decision::new("paywall").with_variable("whole", 10).with_variable("half", 0.5);
        assert_eq!(decision.variables.double("whole"), Ok(10.0));
        assert!(decision.variables.integer("half").is_err());
    }

    #[test]
    fn json_is_a_list_or_a_map_and_no_scalar() {
        let decision = Decision::new("paywall").with_variable("list", [1, 2]).with_variable("text", "x");
        assert_eq!(decision.variables.json("list"), Ok(&[1, 2].into()));
        assert!(decision.variables.json("text").is_err());
    }
}
