//! Heads that repeat: nearly every call of a connection has the head of the one before it, but for its timeout.
//!
//! A field that is the same, at the same place, behind fields that were the same, has the same verdict: so it is compared
//! and not judged again, and calls with equal heads share what is kept of them. The first field that differs has the
//! head judged as any other, from its beginning.

use super::head::{Accepted, Head, Methods, Request};
use super::rules::{Malformed, Rules};
use crate::limits::FIELD_OVERHEAD_BYTES;
use crate::metadata::Header;
use crate::wire;

/// A head that has more is not remembered: a connection keeps it for as long as it lives.
const KEPT_BYTES_MAX: usize = 2 * 1024;
/// The field that differs from call to call. It is not compared, but read.
const TIMEOUT: &[u8] = b"grpc-timeout";

/// The last head of a connection that was accepted.
pub(super) struct Known {
    accepted: Accepted,
    /// As RFC 9113 section 6.5.2 counts, without the value of a timeout.
    list_bytes: usize,
    pub(super) content_length: Option<u64>,
}

/// How far the head under way is the known one.
#[derive(Default)]
pub(super) struct Repeat {
    /// In `Headers`, behind the last field that was the same.
    at: usize,
    timeout: Option<Timeout>,
}

struct Timeout {
    seconds: f64,
    bytes: usize,
}

impl Known {
    /// None for a head that has more than one timeout, or is too large to be kept.
    pub(super) fn of(accepted: &Accepted, rules: &Rules) -> Option<Self> {
        let headers = &accepted.request.headers;
        let timeouts = headers.iter().filter(|(name, _)| *name == TIMEOUT).count();
        let is_kept = timeouts <= 1 && headers.bytes() <= KEPT_BYTES_MAX;
        // Why not what the rules counted: a head that was replayed keeps the timeout of the one before it.
        let bytes = |(name, value): Header<'_>| {
            name.len() + if name == TIMEOUT { 0 } else { value.len() } + FIELD_OVERHEAD_BYTES
        };
        is_kept.then(|| Self {
            accepted: accepted.clone(),
            list_bytes: headers.iter().map(bytes).sum(),
            content_length: rules.content_length,
        })
    }

    /// Whether the next field is the known one.
    pub(super) fn repeats(&self, repeat: &mut Repeat, name: &[u8], value: &[u8]) -> bool {
        let Some((field, next)) = self.accepted.request.headers.field(repeat.at) else { return false };
        if field.0 != name {
            return false;
        }
        if name == TIMEOUT {
            let Some(seconds) = wire::timeout_s(value) else { return false };
            repeat.timeout = Some(Timeout { seconds, bytes: value.len() });
        } else if field.1 != value {
            return false;
        }
        repeat.at = next;
        true
    }

    /// The verdict on a head that has ended; None when it is not the known one.
    pub(super) fn verdict(&self, repeat: &Repeat, list_bytes_max: usize) -> Option<Accepted> {
        let timeout = repeat.timeout.as_ref();
        let list_bytes = self.list_bytes + timeout.map_or(0, |timeout| timeout.bytes);
        let is_whole = repeat.at == self.accepted.request.headers.bytes();
        (is_whole && list_bytes <= list_bytes_max).then(|| Accepted {
            request: Request { timeout_s: timeout.map(|timeout| timeout.seconds), ..self.accepted.request.clone() },
            ..self.accepted
        })
    }

    /// Judges the fields that were the same, for a head that turned out to be another one.
    pub(super) fn replay(&self, repeat: &Repeat, methods: &Methods, rules: &mut Rules) -> Result<Head, Malformed> {
        let mut head = Head::new();
        let mut at = 0;
        while at < repeat.at
            && let Some(((name, value), next)) = self.accepted.request.headers.field(at)
        {
            rules.field(name, value)?;
            head.push(methods, name, value);
            at = next;
        }
        if let (Some(timeout), Some(known)) = (&repeat.timeout, self.accepted.request.headers.last(TIMEOUT)) {
            rules.list_bytes = rules.list_bytes - known.len() + timeout.bytes;
            head.timeout_s = Some(timeout.seconds);
        }
        Ok(head)
    }
}
