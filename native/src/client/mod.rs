//! One connection as a client sees it.

mod call;
mod core;

use std::sync::Arc;

use crate::calls::{call_of, stream_of};
use crate::connection::Connection;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::nghttp2::Actions;
use crate::status::h2;

use self::core::{Core, Peer};

pub use self::call::Outcome;
pub use self::core::ClientEvent;

/// One connection as a client sees it. See the docs of the crate.
pub struct ClientConnection(Connection<Core>);

impl ClientConnection {
    /// A connection that was just made.
    ///
    /// # Errors
    /// Limits that contradict each other; no memory.
    pub fn new(
        scheme: &str,
        authority: &str,
        user_agent: &str,
        limits: &Arc<Limits>,
        now_s: f64,
    ) -> Result<Self, String> {
        let peer =
            Peer { scheme: scheme.to_owned(), authority: authority.to_owned(), user_agent: user_agent.to_owned() };
        Connection::new(Core::new(peer, limits, now_s), true).map(Self)
    }

    /// A unary call whole; its id, or 0 when no call can begin here: see `drained`. Ends with `Finished`.
    pub fn call(&mut self, path: &str, message: &[u8], metadata: Metadata, timeout_s: Option<f64>) -> u64 {
        self.0.with(0, |core, session| {
            let Some(id) = core.begin(session, path, metadata, timeout_s, true) else { return 0 };
            core.queue(session, id, message, true);
            call_of(id)
        })
    }

    /// A call with messages both ways; its id, or 0.
    pub fn open(&mut self, path: &str, metadata: Metadata, timeout_s: Option<f64>) -> u64 {
        self.0.with(0, |core, session| core.begin(session, path, metadata, timeout_s, false).map_or(0, call_of))
    }

    /// One message; false = the high mark is reached, wait for `Writable`. True for a call that is gone.
    pub fn send(&mut self, call_id: u64, message: &[u8]) -> bool {
        self.with_call(call_id, true, |core, session, id| core.queue(session, id, message, false))
    }

    /// No more messages of this side.
    pub fn half_close(&mut self, call_id: u64) {
        self.with_call(call_id, (), |core, session, id| {
            if let Some(call) = core.calls.get_mut(&id) {
                call.half_closed = true;
                session.resume(id);
            }
        });
    }

    /// Resets the stream with CANCEL; no event follows.
    pub fn cancel(&mut self, call_id: u64) {
        self.with_call(call_id, (), |core, session, id| {
            session.reset(id, h2::CANCEL);
            if let Some(mut call) = core.forget(id) {
                call.release(&mut core.link.account);
            }
            core.events.retain(|event| event.call_id() != call_id);
        });
    }

    /// A `Reply` of so many bytes was worked off: its sender may send as much again.
    pub fn consumed(&mut self, call_id: u64, message_bytes: usize) {
        self.with_call(call_id, (), |core, session, id| {
            let Some(call) = core.calls.get_mut(&id) else { return };
            call.inbound.consumed(&mut core.link.account, message_bytes);
            session.credit_stream(id, call.inbound.credit(message_bytes));
        });
    }

    /// Takes what was read.
    pub fn receive(&mut self, input: &[u8], now_s: f64) -> Vec<ClientEvent> {
        self.0.receive(input, now_s);
        self.take_events()
    }

    /// As `receive`, for who waits for this unary call alone: its reply, when there is nothing else to learn or to do.
    ///
    /// None, and the events stay for `take_events`, when the call has not ended or not with OK, another one is under
    /// way, or the connection takes no more calls. After a reply nothing that was queued is urgent: an acknowledgement
    /// may go with the next call.
    pub fn receive_reply(&mut self, input: &[u8], now_s: f64, call_id: u64) -> Option<Vec<u8>> {
        self.0.receive(input, now_s);
        if self.closed() || self.drained() || self.calls_open() > 0 {
            return None;
        }
        let [ClientEvent::Finished { call_id: ended, outcome }] = self.0.core.events.as_mut_slice() else {
            return None;
        };
        let message = outcome.message.take_if(|_| *ended == call_id)?;
        self.0.core.events.clear();
        Some(message)
    }

    /// What came up outside of `receive`.
    pub fn take_events(&mut self) -> Vec<ClientEvent> {
        std::mem::take(&mut self.0.core.events)
    }

    /// Lets time pass; returns when to call again at the latest.
    pub fn tick(&mut self, now_s: f64) -> Option<f64> {
        self.0.tick(now_s)
    }

    /// What must be written now, about `bytes_max` of it. Each call forgets what the one before returned.
    pub fn take_output(&mut self, bytes_max: usize) -> &[u8] {
        self.0.take_output(bytes_max)
    }

    /// The socket is gone; a reason when that was not in order.
    pub fn disconnected(&mut self, reason: &str) -> Vec<ClientEvent> {
        self.0.disconnected(reason);
        self.take_events()
    }

    /// Calls that have begun and not ended.
    #[must_use]
    pub fn calls_open(&self) -> usize {
        self.0.core.calls.len()
    }

    /// Open another connection for new calls: a GOAWAY came, or the ids are used up.
    #[must_use]
    pub fn drained(&self) -> bool {
        self.0.core.drained
    }

    /// No more input is taken: write what `take_output` holds, and close. Look after `take_output`, too.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.0.closed()
    }

    /// Why it closed, for a log; empty when both sides wanted it.
    #[must_use]
    pub fn failure(&self) -> &str {
        self.0.failure()
    }

    fn with_call<R>(
        &mut self,
        call_id: u64,
        otherwise: R,
        body: impl FnOnce(&mut Core, &mut Actions<'_>, i32) -> R,
    ) -> R {
        let id = stream_of(call_id).filter(|id| self.0.core.calls.contains_key(id));
        let Some(id) = id else { return otherwise };
        self.0.with(otherwise, |core, session| body(core, session, id))
    }
}
