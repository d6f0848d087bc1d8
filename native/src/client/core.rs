//! What a client's connection knows beside HTTP/2 itself, and what it does when the library reports something.

use std::sync::Arc;

use super::call::{Block, Call, Outcome, cardinality};
use crate::budget::{Account, Budget};
use crate::calls::{Calls, call_of};
use crate::connection::{Link, Role};
use crate::inbound::Inbound;
use crate::limits::{FIELD_OVERHEAD_BYTES, Limits};
use crate::metadata::{Metadata, Outgoing};
use crate::nghttp2::{Actions, Control, Field, Fill, Handler, Then};
use crate::outbound::Full;
use crate::status::{Code, Refusal, h2};
use crate::wire;

/// What a client learns.
#[derive(Debug)]
pub enum ClientEvent {
    /// A message of a stream.
    Reply {
        /// Of `open`.
        call_id: u64,
        /// Decompressed.
        message: Vec<u8>,
    },
    /// A call ended; nothing more comes of it.
    Finished {
        /// Of `call` or `open`.
        call_id: u64,
        /// How.
        outcome: Box<Outcome>,
    },
    /// What is queued fell under the low mark.
    Writable {
        /// Of `open`.
        call_id: u64,
    },
}

impl ClientEvent {
    pub(super) fn call_id(&self) -> u64 {
        match *self {
            Self::Reply { call_id, .. } | Self::Finished { call_id, .. } | Self::Writable { call_id } => call_id,
        }
    }
}

/// What every request of a connection says.
pub(super) struct Peer {
    pub(super) scheme: String,
    pub(super) authority: String,
    pub(super) user_agent: String,
}

/// The timeouts that were sent last. Most calls of a client have one of a few, and what recurs is a byte on the wire,
/// where another one is twenty, to be encoded and decoded each time.
#[derive(Default)]
struct Timeouts {
    said: [(f64, String); 4],
    next: usize,
}

impl Timeouts {
    /// Its place among them, and whether it was there.
    fn place(&mut self, seconds: f64) -> (usize, bool) {
        #[expect(clippy::float_cmp, reason = "the very same number is what recurs")]
        let found = self.said.iter().position(|(said, text)| *said == seconds && !text.is_empty());
        let place = found.unwrap_or(self.next);
        if found.is_none() {
            self.said[place] = (seconds, wire::timeout_text(seconds));
            self.next = (place + 1) % self.said.len();
        }
        (place, found.is_some())
    }

    fn field(&self, (place, recurs): (usize, bool)) -> Field<'_> {
        let text = self.said[place].1.as_bytes();
        if recurs { Field::Recurring(b"grpc-timeout", text) } else { Field::Fresh(b"grpc-timeout", text) }
    }
}

pub(super) struct Core {
    peer: Peer,
    timeouts: Timeouts,
    pub(super) link: Link,
    pub(super) calls: Calls<Call>,
    pub(super) events: Vec<ClientEvent>,
    block: Option<Block>,
    /// No new calls: a GOAWAY came, the connection is old, or its ids are used up.
    pub(super) drained: bool,
}

impl Core {
    pub(super) fn new(peer: Peer, limits: &Arc<Limits>, now_s: f64) -> Self {
        // Why no bound: the client's calls are its own, and the windows and the message limit bound each reply.
        let account = Account::new(Budget::new(usize::MAX));
        let link = Link::new(limits, account, now_s);
        let timeouts = Timeouts::default();
        Self { peer, timeouts, link, calls: Calls::default(), events: Vec::new(), block: None, drained: false }
    }

    /// Begins a call; None = not here.
    pub(super) fn begin(
        &mut self,
        session: &mut Actions<'_>,
        path: &str,
        metadata: Metadata,
        timeout_s: Option<f64>,
        unary: bool,
    ) -> Option<i32> {
        self.drained |= !session.takes_requests();
        if self.drained || self.link.failure.is_some() {
            return None;
        }
        let timeout = timeout_s.map(|seconds| self.timeouts.place(seconds));
        let metadata = Outgoing::new(metadata);
        let mut fields = Vec::with_capacity(16);
        fields.extend([
            Field::Fixed(b":method", b"POST"),
            Field::Recurring(b":scheme", self.peer.scheme.as_bytes()),
            Field::Recurring(b":path", path.as_bytes()),
            Field::Recurring(b":authority", self.peer.authority.as_bytes()),
            Field::Fixed(b"te", b"trailers"),
            Field::Fixed(b"content-type", b"application/grpc"),
            Field::Recurring(b"user-agent", self.peer.user_agent.as_bytes()),
            Field::Fixed(b"grpc-accept-encoding", b"identity,gzip"),
        ]);
        fields.extend(timeout.map(|place| self.timeouts.field(place)));
        fields.extend(metadata.fields());
        let id = session.request(&fields).ok()?;
        self.calls.insert(id, Call::new(unary));
        Some(id)
    }

    /// Queues a message; false = the high mark is reached. One that has no place ends its call.
    pub(super) fn queue(&mut self, session: &mut Actions<'_>, id: i32, message: &[u8], last: bool) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.half_closed) else { return true };
        match call.outbound.push(&mut self.link.account, &self.link.limits, message) {
            Ok(room) => {
                call.half_closed = last;
                session.resume(id);
                room
            }
            Err(Full::Message | Full::Budget) => {
                session.reset(id, h2::CANCEL);
                let refusal = Refusal::new(Code::ResourceExhausted, "message refused: it has more than 4 GiB");
                self.end(id, Outcome::failed(refusal));
                true
            }
        }
    }

    /// Forgets a call without a word.
    pub(super) fn forget(&mut self, id: i32) -> Option<Call> {
        let mut call = self.calls.remove(&id)?;
        call.outbound.clear(&mut self.link.account);
        Some(call)
    }

    fn end(&mut self, id: i32, outcome: Outcome) {
        let Some(mut call) = self.forget(id) else { return };
        let outcome = Box::new(call.conclude(outcome));
        call.release(&mut self.link.account);
        self.events.push(ClientEvent::Finished { call_id: call_of(id), outcome });
    }

    /// Ends a call for what the server did, and tells the server.
    fn give_up(&mut self, session: &mut Actions<'_>, id: i32, outcome: Outcome) {
        session.reset(id, h2::CANCEL);
        self.end(id, outcome);
    }
}

impl Role for Core {
    fn link(&self) -> &Link {
        &self.link
    }

    fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }

    fn calls_open(&self) -> usize {
        self.calls.len()
    }

    fn abandon(&mut self) {
        let why = Some(self.link.why()).filter(|why| !why.is_empty()).unwrap_or("the connection is closed");
        let refusal = Refusal::new(Code::Unavailable, why);
        let mut gone: Vec<i32> = self.calls.keys().copied().collect();
        gone.sort_unstable();
        for id in gone {
            self.end(id, Outcome::failed(refusal.clone()));
        }
    }

    fn retire(&mut self, _session: &mut Actions<'_>) {
        self.drained = true;
    }
}

impl Handler for Core {
    fn headers_begun(&mut self, _session: &mut Actions<'_>, id: i32, _first: bool) {
        self.block = self.calls.contains_key(&id).then(|| Block::new(id));
    }

    fn header(&mut self, session: &mut Actions<'_>, id: i32, name: &[u8], value: &[u8]) {
        let Some(block) = self.block.as_mut().filter(|block| block.id == id) else { return };
        block.list_bytes += name.len() + value.len() + FIELD_OVERHEAD_BYTES;
        if block.list_bytes <= self.link.limits.header_list_bytes_max {
            return block.push(name, value);
        }
        self.block = None;
        let message = format!("metadata refused: it has more than {} bytes", self.link.limits.header_list_bytes_max);
        self.give_up(session, id, Outcome::failed(Refusal::new(Code::ResourceExhausted, message)));
    }

    fn headers_ended(&mut self, session: &mut Actions<'_>, id: i32, last: bool) {
        let Some(block) = self.block.take().filter(|block| block.id == id && !block.is_informational()) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if last {
            let outcome = block.outcome(!call.answered);
            // RFC 9113 section 8.1: a response may be complete before its request is; there is no use in the rest.
            if !call.half_closed || call.outbound.queued() > 0 {
                session.reset(id, h2::NO_ERROR);
            }
            return self.end(id, outcome);
        }
        match block.head() {
            _ if call.answered => {
                let refusal = Refusal::new(Code::Internal, "the answer has two heads");
                self.give_up(session, id, Outcome::failed(refusal));
            }
            Err(outcome) => self.give_up(session, id, outcome),
            Ok(encoding) => {
                call.answered = true;
                call.inbound = Inbound::new(self.link.limits.message_bytes_max, encoding);
            }
        }
    }

    fn chunk(&mut self, session: &mut Actions<'_>, id: i32, bytes: &[u8]) {
        self.link.uncredited += bytes.len();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Call { unary, inbound, message: first, .. } = call;
        let events = &mut self.events;
        let taken = inbound.take(&mut self.link.account, bytes, !*unary, |message| {
            if !*unary {
                events.push(ClientEvent::Reply { call_id: call_of(id), message });
            } else if first.replace(message).is_some() {
                return Err(cardinality("2 or more"));
            }
            Ok(())
        });
        match taken {
            Err(refusal) => self.give_up(session, id, Outcome::failed(refusal)),
            Ok(()) => session.credit_stream(id, inbound.credit(0)),
        }
    }

    fn data_ended(&mut self, _session: &mut Actions<'_>, id: i32) {
        self.end(id, Outcome::reset(h2::NO_ERROR));
    }

    fn control(&mut self, _session: &mut Actions<'_>, frame: Control<'_>) {
        self.drained |= matches!(frame, Control::GoAway { .. });
        self.link.note(&frame);
    }

    fn closed(&mut self, _session: &mut Actions<'_>, id: i32, code: u32) {
        self.end(id, Outcome::reset(code));
    }

    fn ended(&mut self, session: &mut Actions<'_>, id: i32, unsent: bool) {
        if unsent {
            session.reset(id, h2::INTERNAL_ERROR);
        }
    }

    fn fill(&mut self, _session: &mut Actions<'_>, id: i32, room: usize) -> Fill<'_> {
        let Some(call) = self.calls.get_mut(&id) else { return Fill { bytes: &[], then: Then::Wait } };
        let at_end = if call.half_closed { Then::End } else { Then::Wait };
        let (fill, writable) = call.outbound.pull(&mut self.link.account, &self.link.limits, room, at_end);
        if writable && !call.half_closed {
            self.events.push(ClientEvent::Writable { call_id: call_of(id) });
        }
        fill
    }
}
