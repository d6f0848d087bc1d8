//! What arrives on one stream: messages out of bytes, and when their sender may send more.
//!
//! **Window.** The bytes of a message that is under way are credited as they come while nothing else waits: only the
//! message limit and the budget hold it, so that any message can become whole whatever the window. Behind a message
//! that waits to be `consumed`, bytes are credited when it is. So a stream holds at most one message and one window,
//! and a reader that is slow stops its own sender only. The connection's window is credited on arrival.

use crate::budget::Account;
use crate::framing::{Assembler, Encoding};
use crate::status::{Code, Refusal};

/// What a message costs beside its bytes while it waits: objects on both sides of the seam. Without it, a window full
/// of empty messages would be free.
const MESSAGE_OVERHEAD_BYTES: usize = 128;

/// The receiving half of a stream.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    assembler: Assembler,
    /// Messages handed over and not yet consumed, with their overhead.
    waiting: usize,
    /// Bytes that came and are not credited.
    withheld: usize,
    /// What the account holds for this stream.
    charged: usize,
}

impl Inbound {
    pub(crate) fn new(message_bytes_max: usize, encoding: Encoding) -> Self {
        Self { assembler: Assembler::new(message_bytes_max, encoding), ..Self::default() }
    }

    /// Takes bytes; gives each whole message to `deliver`. `waits` = a message is worked off only when `consumed`.
    pub(crate) fn take(
        &mut self,
        account: &mut Account,
        mut bytes: &[u8],
        waits: bool,
        mut deliver: impl FnMut(Vec<u8>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.withheld += bytes.len();
        while !bytes.is_empty() {
            if let Some(message) = self.assembler.next(&mut bytes)? {
                if waits {
                    self.waiting += message.len() + MESSAGE_OVERHEAD_BYTES;
                }
                deliver(message)?;
            }
        }
        self.charge(account)
    }

    fn charge(&mut self, account: &mut Account) -> Result<(), Refusal> {
        let held = self.assembler.bytes_held() + self.waiting;
        if held > self.charged {
            if !account.claim(held - self.charged) {
                let text = "call refused: unfinished requests hold all memory that is meant for them; try again";
                return Err(Refusal::new(Code::ResourceExhausted, text));
            }
        } else if held < self.charged {
            account.release(self.charged - held);
        }
        self.charged = held;
        Ok(())
    }

    /// A message of so many bytes was worked off.
    pub(crate) fn consumed(&mut self, account: &mut Account, message_bytes: usize) {
        self.consumed_all(account, message_bytes, 1);
    }

    /// Several messages of so many bytes together were worked off.
    pub(crate) fn consumed_all(&mut self, account: &mut Account, message_bytes: usize, messages: usize) {
        let overhead = messages.saturating_mul(MESSAGE_OVERHEAD_BYTES);
        self.waiting = self.waiting.saturating_sub(message_bytes.saturating_add(overhead));
        // Why it cannot be refused: what is held became less.
        let _ = self.charge(account);
    }

    /// What may be credited to the sender now, `message_bytes` of which were just consumed.
    pub(crate) fn credit(&mut self, message_bytes: usize) -> usize {
        let credit = if self.waiting == 0 { self.withheld } else { message_bytes.min(self.withheld) };
        self.withheld -= credit;
        credit
    }

    /// The sender has ended. An error when it did so within a message.
    pub(crate) fn end(&self) -> Result<(), Refusal> {
        if self.assembler.at_boundary() {
            return Ok(());
        }
        Err(Refusal::new(Code::Internal, "message refused: the stream ended within it"))
    }

    /// Lets go of all that is held.
    pub(crate) fn clear(&mut self, account: &mut Account) {
        account.release(self.charged);
        *self = Self::default();
    }
}
