//! Attributes, tags, properties, traits, context and variables as a caller writes and reads them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// One attribute, tag, property, trait or variable. Integers are exact, a boolean is never a number.
///
/// Made by `From` of what Rust has: `"text"`, `7`, `0.5`, `true`, `vec!["a", "b"]`, a map, an `Option`. A `u64` has no
/// `From`: not all of it fits, so say what is meant, as `i64::try_from(n)?`. Money goes into
/// [`revenue`](crate::EventCall::revenue), where it stays exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Present, but without a value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number. NaN and infinity are unknown to conditions, and refused in tags and properties.
    Double(f64),
    /// Text.
    String(String),
    /// A list, nested at most 32 deep.
    List(Vec<Value>),
    /// A map, nested at most 32 deep.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The word of the contract for what it is: `null`, `boolean`, `integer`, `double`, `string` or `json`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::List(_) | Self::Map(_) => "json",
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The whole number, when it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number, whole or not.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a whole number is read as a double where a double is asked for")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, when it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }
}

macro_rules! from_each {
    ($($kind:ty => $given:ident $made:expr;)+) => {
        $(impl From<$kind> for Value {
            fn from($given: $kind) -> Self {
                $made
            }
        })+
    };
}

from_each! {
    bool => truth Self::Bool(truth);
    i8 => number Self::Int(number.into());
    i16 => number Self::Int(number.into());
    i32 => number Self::Int(number.into());
    i64 => number Self::Int(number);
    u8 => number Self::Int(number.into());
    u16 => number Self::Int(number.into());
    u32 => number Self::Int(number.into());
    f32 => number Self::Double(number.into());
    f64 => number Self::Double(number);
    &str => text Self::String(text.to_owned());
    &String => text Self::String(text.clone());
    String => text Self::String(text);
    Cow<'_, str> => text Self::String(text.into_owned());
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(given: Option<V>) -> Self {
        given.map_or(Self::Null, Into::into)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(given: Vec<V>) -> Self {
        Self::List(given.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<Value>, const N: usize> From<[V; N]> for Value {
    fn from(given: [V; N]) -> Self {
        Self::List(given.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, V: Into<Value>> From<BTreeMap<K, V>> for Value {
    fn from(given: BTreeMap<K, V>) -> Self {
        given.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<Value>, S> From<HashMap<K, V, S>> for Value {
    fn from(given: HashMap<K, V, S>) -> Self {
        given.into_iter().collect()
    }
}

/// A map: `Value::from_iter([("sku", Value::from("7")), ("price", Value::from(0.5))])`.
impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
