//! One connection as the server sees it.

mod answer;
mod call;
mod core;
mod event;
mod frames;
mod head;
mod known;
mod rules;

use std::sync::Arc;

use crate::budget::Budget;
use crate::calls::stream_of;
use crate::connection::Connection;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::nghttp2::Actions;
use crate::status::{Trailers, h2};

use self::call::{Call, End};
use self::core::Core;

pub use self::event::ServerEvent;
pub use self::head::{Methods, Request};

/// One connection as the server sees it. See the docs of the crate.
pub struct ServerConnection(Connection<Core>);

impl ServerConnection {
    /// A connection that was just accepted.
    ///
    /// # Errors
    /// Limits that contradict each other; no memory.
    pub fn new(methods: &Methods, limits: &Arc<Limits>, budget: &Budget, now_s: f64) -> Result<Self, String> {
        Connection::new(Core::new(methods, limits, budget, now_s), false).map(Self)
    }

    /// Takes what was read.
    pub fn receive(&mut self, input: &[u8], now_s: f64) -> Vec<ServerEvent> {
        self.0.receive(input, now_s);
        self.take_events()
    }

    /// What came up outside of `receive`.
    pub fn take_events(&mut self) -> Vec<ServerEvent> {
        self.0.guarded(Vec::new(), |this| this.core.take_events())
    }

    /// The whole answer of a call with status OK.
    pub fn reply(&mut self, call_id: u64, message: &[u8]) {
        self.with_call(call_id, (), |core, session, id| {
            core.queue(session, id, message, End::Ok);
        });
    }

    /// Initial metadata, before the first `send`.
    pub fn start(&mut self, call_id: u64, metadata: Metadata) {
        self.with_call(call_id, (), |core, session, id| {
            core.begin(session, id, metadata);
        });
    }

    /// One message; false = wait for `Writable`, as the high mark is reached, or for `Cancelled`, as the message had no
    /// place. True for a call that is gone.
    pub fn send(&mut self, call_id: u64, message: &[u8]) -> bool {
        self.with_call(call_id, true, |core, session, id| core.queue(session, id, message, End::Open))
    }

    /// Ends a call.
    pub fn finish(&mut self, call_id: u64, code: u32, message: &str, details: &[u8], trailers: Metadata) {
        self.with_call(call_id, (), |core, session, id| {
            if let Some(call) = core.calls.get_mut(&id) {
                answer::finish(call, session, id, Trailers::new(code, message, details, trailers));
            }
        });
    }

    /// Messages of so many bytes together were worked off: their sender may send as much again.
    pub fn consumed(&mut self, call_id: u64, message_bytes: usize, messages: usize) {
        self.0.with((), |core, session| {
            let Some(id) = stream_of(call_id) else { return };
            let Some(call) = core.calls.get_mut(&id) else { return };
            call.inbound.consumed_all(&mut core.link.account, message_bytes, messages);
            session.credit_stream(id, call.inbound.credit(message_bytes));
        });
    }

    /// The head of a call that has not ended on the wire.
    #[must_use]
    pub fn request(&self, call_id: u64) -> Option<&Request> {
        let id = stream_of(call_id)?;
        self.0.core.calls.get(&id).map(|call| &call.request)
    }

    /// Lets time pass; returns when to call again at the latest.
    pub fn tick(&mut self, now_s: f64) -> Option<f64> {
        self.0.tick(now_s)
    }

    /// GOAWAY: first with the highest id, then, `last`, with the last one that was taken. RFC 9113 section 6.8.
    pub fn shut_down(&mut self, last: bool) {
        self.0.with((), |_, session| if last { session.goaway(h2::NO_ERROR, "") } else { session.announce_goaway() });
    }

    /// What must be written now, about `bytes_max` of it. Each call forgets what the one before returned.
    pub fn take_output(&mut self, bytes_max: usize) -> &[u8] {
        self.0.take_output(bytes_max)
    }

    /// The socket is gone; a reason when that was not in order.
    pub fn disconnected(&mut self, reason: &str) -> Vec<ServerEvent> {
        self.0.disconnected(reason);
        self.take_events()
    }

    /// Calls that have begun and not ended on the wire.
    #[must_use]
    pub fn calls_open(&self) -> usize {
        self.0.core.calls.len()
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

    /// Runs with a call that may still be answered.
    fn with_call<R>(
        &mut self,
        call_id: u64,
        otherwise: R,
        body: impl FnOnce(&mut Core, &mut Actions<'_>, i32) -> R,
    ) -> R {
        let id = stream_of(call_id).filter(|id| self.0.core.calls.get(id).is_some_and(Call::is_open));
        let Some(id) = id else { return otherwise };
        self.0.with(otherwise, |core, session| body(core, session, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_one_connection_and_cancels_its_calls() {
        let methods = Methods::new([("/s/m".to_owned(), true, 100)]).expect("valid");
        let (limits, budget) = (Arc::new(Limits::default()), Budget::new(1000));
        let mut server = ServerConnection::new(&methods, &limits, &budget, 0.0).expect("made");
        let mut call = Call::new(0, true, Request::default(), crate::inbound::Inbound::default());
        call.heard = call::Heard::Begun;
        server.0.core.calls.insert(1, call);
        server.0.guarded((), |_| panic!("broken"));
        assert_eq!((server.closed(), server.failure()), (true, "internal fault: broken"));
        let events = server.take_events();
        assert!(matches!(events.as_slice(), [ServerEvent::Cancelled { call_id: 1 }]), "{events:?}");
        server.reply(1, b"late");
        assert_eq!(server.calls_open(), 0);
    }
}
