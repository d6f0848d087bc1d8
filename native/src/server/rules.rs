//! What makes a request malformed. Source: RFC 9113 section 8.
//!
//! nghttp2 could check it, and does so for clients. In servers it is told not to, as it takes no `/` in `:authority`,
//! where a client of grpc-java names the path of a Unix socket; what is beyond that is as strict here as there.
//! An authority may be missing or empty: gRPC says it is optional.

use crate::limits::FIELD_OVERHEAD_BYTES;

/// What is wrong, for a log.
pub(super) type Malformed = &'static str;

const METHOD: u8 = 1;
const SCHEME: u8 = 2;
const PATH: u8 = 4;
const AUTHORITY: u8 = 8;

/// One header block, field by field.
#[derive(Default)]
pub(super) struct Rules {
    /// As RFC 9113 section 6.5.2 counts.
    pub(super) list_bytes: usize,
    pub(super) content_length: Option<u64>,
    is_trailers: bool,
    is_connect: bool,
    /// A field that is no pseudo-field came.
    is_past_pseudo: bool,
    /// The pseudo-fields that came.
    seen: u8,
}

impl Rules {
    pub(super) fn of_head() -> Self {
        Self::default()
    }

    pub(super) fn of_trailers() -> Self {
        Self { is_trailers: true, ..Self::default() }
    }

    /// The next field; the value without spaces around it.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.list_bytes += name.len() + value.len() + FIELD_OVERHEAD_BYTES;
        if !is_value(value) {
            return Err("a field's value has a control character");
        }
        if let [b':', ..] = name {
            return self.pseudo(name, value);
        }
        self.is_past_pseudo = true;
        match name {
            // Section 8.2.2.
            b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade" => {
                Err("a field belongs to HTTP/1")
            }
            b"te" if !value.eq_ignore_ascii_case(b"trailers") => Err("te is not trailers"),
            b"content-length" => self.length(value),
            _ if is_name(name) => Ok(()),
            _ => Err("a field's name has an upper-case or forbidden character"),
        }
    }

    /// Section 8.3: "Pseudo-header fields … MUST NOT appear in a trailer section; … MUST appear before regular ones; the
    /// same name MUST NOT appear more than once; undefined or invalid ones are malformed."
    fn pseudo(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        if self.is_trailers || self.is_past_pseudo {
            return Err("a pseudo-field comes behind others or in trailers");
        }
        let (bit, is_good) = match name {
            b":method" => {
                self.is_connect = value == b"CONNECT";
                (METHOD, !value.is_empty())
            }
            b":scheme" => (SCHEME, !value.is_empty()),
            // Section 8.3.1; `*` is of OPTIONS, which is refused as no POST.
            b":path" => (PATH, value.first() == Some(&b'/') || value == b"*"),
            b":authority" => (AUTHORITY, true),
            _ => return Err("a pseudo-field is unknown"),
        };
        if self.seen & bit != 0 {
            return Err("a pseudo-field comes twice");
        }
        self.seen |= bit;
        if is_good { Ok(()) } else { Err("a pseudo-field's value is malformed") }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        // Why digits are looked at: parsing takes a sign, too.
        let digits = value.iter().all(u8::is_ascii_digit).then_some(value);
        let length = digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        match (self.content_length, length) {
            (None, Some(length)) => {
                self.content_length = Some(length);
                Ok(())
            }
            _ => Err("content-length is no number or comes twice"),
        }
    }

    /// The block is whole; `last` = the stream ends with it.
    pub(super) fn end(&self, last: bool) -> Result<(), Malformed> {
        if self.is_trailers {
            // Section 8.1: trailers end the stream.
            return if last { Ok(()) } else { Err("trailers do not end the stream") };
        }
        // Sections 8.3.1 and 8.5.
        let wanted = if self.is_connect { METHOD } else { METHOD | SCHEME | PATH };
        if self.seen & wanted == wanted { Ok(()) } else { Err("a pseudo-field is missing") }
    }
}

/// Section 8.2.1, "field names MUST be valid": visible ASCII but for upper case and `:`.
fn is_name(name: &[u8]) -> bool {
    // Why no early end: so it is many bytes at a time.
    let wrong = name.iter().fold(false, |wrong, byte| wrong | !matches!(byte, 0x21..=0x39 | 0x3b..=0x40 | 0x5b..=0x7e));
    !name.is_empty() && !wrong
}

/// Section 8.2.1 forbids NUL, CR and LF; RFC 9110 section 5.5 every control character but a tab.
fn is_value(value: &[u8]) -> bool {
    !value.iter().fold(false, |wrong, byte| wrong | matches!(byte, 0..=8 | 0x0a..=0x1f | 0x7f))
}

/// "ASCII-Value … if it contains leading or trailing whitespace, it may be stripped." Source: PROTOCOL-HTTP2.md. RFC 9113
/// calls it malformed, but callers of grpc can send it.
pub(super) fn stripped(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
