//! What leaves on one stream: framed messages in one queue, and where it is full or has room again.

use crate::budget::Account;
use crate::framing;
use crate::limits::Limits;
use crate::nghttp2::{Fill, Then};

/// A queue that is kept for the next message must not be larger.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// The sending half of a stream.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    /// Framed messages; the first `sent` bytes are gone. What is left is what the account holds for this stream.
    queue: Vec<u8>,
    sent: usize,
    /// The high mark was reached and the sender told to wait.
    blocked: bool,
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Longer than a prefix can say.
    Message,
    /// The budget of the process has no room.
    Budget,
}

impl Outbound {
    pub(crate) fn queued(&self) -> usize {
        self.queue.len() - self.sent
    }

    /// Queues a message; Ok(false) = the high mark is reached.
    pub(crate) fn push(&mut self, account: &mut Account, limits: &Limits, message: &[u8]) -> Result<bool, Full> {
        let prefix = framing::prefix(message).ok_or(Full::Message)?;
        let bytes = prefix.len() + message.len();
        if !account.claim(bytes) {
            return Err(Full::Budget);
        }
        if self.sent > 0 && self.sent >= self.queued() {
            self.queue.drain(..self.sent);
            self.sent = 0;
        }
        self.queue.reserve(bytes);
        self.queue.extend_from_slice(&prefix);
        self.queue.extend_from_slice(message);
        self.blocked |= self.queued() >= limits.queued_bytes_high;
        Ok(!self.blocked)
    }

    /// The next bytes for the wire, and whether the sender may go on after having been told to wait.
    pub(crate) fn pull(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        room: usize,
        at_end: Then,
    ) -> (Fill<'_>, bool) {
        if self.sent == self.queue.len() {
            self.reset();
        }
        let start = self.sent;
        let length = room.min(self.queued());
        self.sent += length;
        account.release(length);
        let writable = self.blocked && self.queued() <= limits.queued_bytes_low;
        self.blocked &= !writable;
        let then = if self.queued() > 0 { Then::More } else { at_end };
        (Fill { bytes: &self.queue[start..start + length], then }, writable)
    }

    fn reset(&mut self) {
        self.sent = 0;
        if self.queue.capacity() > KEPT_BYTES_MAX {
            self.queue = Vec::new();
        } else {
            self.queue.clear();
        }
    }

    /// Lets go of all that is queued.
    pub(crate) fn clear(&mut self, account: &mut Account) {
        account.release(self.queued());
        *self = Self::default();
    }
}
