//! Metadata: what a caller sends beside its messages, kept as it came and read when somebody asks.
//!
//! "Custom-Metadata → Binary-Header | ASCII-Header. Binary-Header → {Header-Name `-bin`} {base64 encoded value}.
//! If a header is repeated, its values are delivered in order; `-bin` values may also be joined by commas." Names that
//! begin with `:` or `grpc-` and those that the protocol uses (`te`, `content-type`) are no metadata.
//! Source: PROTOCOL-HTTP2.md, Requests.

use crate::nghttp2::Field;
use crate::wire;

/// One value of a key: text, or bytes of a `-bin` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of an ASCII key. Bytes beyond ASCII, which no honest peer sends, are read as Latin-1.
    Text(String),
    /// Of a `-bin` key, decoded.
    Bytes(Vec<u8>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// Keys and values to be sent, in order.
pub type Metadata = Vec<(String, Value)>;

/// A name and a value.
pub(crate) type Header<'a> = (&'a [u8], &'a [u8]);

/// A header list as it came: one allocation, however many fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    /// For each field its lengths (two little-endian u32), its name, its value.
    arena: Vec<u8>,
}

impl Headers {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { arena: Vec::with_capacity(bytes) }
    }

    pub(crate) fn push(&mut self, name: &[u8], value: &[u8]) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.arena.extend_from_slice(&length(name));
        self.arena.extend_from_slice(&length(value));
        self.arena.extend_from_slice(name);
        self.arena.extend_from_slice(value);
    }

    /// The field that begins at a place, and where the next one does.
    pub(crate) fn field(&self, at: usize) -> Option<(Header<'_>, usize)> {
        let rest = self.arena.get(at..)?;
        let (lengths, after) = rest.split_first_chunk::<8>()?;
        let lengths = u64::from_le_bytes(*lengths);
        let (name, after) = after.split_at_checked((lengths & 0xffff_ffff) as usize)?;
        let (value, after) = after.split_at_checked((lengths >> 32) as usize)?;
        Some(((name, value), self.arena.len() - after.len()))
    }

    /// Where a field would begin that is pushed next.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Header<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (field, next) = self.field(at)?;
            at = next;
            Some(field)
        })
    }

    pub(crate) fn last(&self, key: &[u8]) -> Option<&[u8]> {
        self.iter().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// All values, in order, `-bin` ones decoded. A value that is no base64 is left out: requests with one are refused
    /// before, replies with one are not worth an error.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut all = Vec::new();
        for (name, value) in self.iter() {
            let key = text(name);
            if name.ends_with(b"-bin") {
                let parts =
                    value.split(|byte| *byte == b',').filter_map(|part| wire::base64_decoded(part.trim_ascii()));
                all.extend(parts.map(|bytes| (key.clone(), Value::Bytes(bytes))));
            } else {
                all.push((key, Value::Text(text(value))));
            }
        }
        all
    }
}

/// Latin-1: never fails, and is ASCII for what is ASCII.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Every part of a `-bin` value is base64.
pub(crate) fn is_binary_value(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').all(|part| wire::base64_decoded(part.trim_ascii()).is_some())
}

/// Names that belong to the protocol, not to the caller. `user-agent` is the caller's.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    matches!(name, b"te" | b"content-type") || name.starts_with(b":") || name.starts_with(b"grpc-")
}

/// Metadata in the form that goes out, owned until it is submitted.
pub(crate) struct Outgoing(Vec<(String, Vec<u8>)>);

impl Outgoing {
    /// Leaves out what cannot be sent: reserved names, names or values with characters that HTTP/2 forbids.
    pub(crate) fn new(metadata: Metadata) -> Self {
        let encode = |(key, value): (String, Value)| {
            let key = key.to_ascii_lowercase();
            let value = match value {
                Value::Bytes(bytes) => wire::base64_encoded(&bytes),
                Value::Text(text) => text.into_bytes(),
            };
            (!is_reserved(key.as_bytes()) && is_name(&key) && is_value(&value)).then_some((key, value))
        };
        Self(metadata.into_iter().filter_map(encode).collect())
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.0.iter().map(|(key, value)| Field::Once(key.as_bytes(), value))
    }
}

/// "Header-Name → 1*( %x30-39 / %x61-7A / “_” / “-” / “.” )".
fn is_name(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'-' | b'.'))
}

/// "ASCII-Value → 1*( %x20-%x7E )".
fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| (0x20..=0x7e).contains(byte))
}
