//! What a server's connection knows beside HTTP/2 itself, and what it does when the library reports something.

use std::sync::Arc;

use super::answer;
use super::call::{Call, End, Heard};
use super::event::ServerEvent;
use super::head::{Accepted, Head, Methods};
use super::known::{Known, Repeat};
use super::rules::{Malformed, Rules};
use crate::budget::{Account, Budget};
use crate::calls::{Calls, call_of, stream_of};
use crate::connection::{Link, Role};
use crate::inbound::Inbound;
use crate::limits::{self, Limits};
use crate::metadata::Metadata;
use crate::nghttp2::{Actions, Fill, Then};
use crate::outbound::Full;
use crate::pace::{Bucket, Pings};
use crate::status::{Code, Refusal, Trailers, h2};

/// Everything of a connection but the library's session.
pub(super) struct Core {
    pub(super) methods: Methods,
    pub(super) link: Link,
    pub(super) calls: Calls<Call>,
    pub(super) events: Vec<ServerEvent>,
    /// The header block under way.
    pub(super) block: Option<Block>,
    /// The head that the next one is compared with.
    pub(super) known: Option<Known>,
    /// Of streams whose head has a content-length, which clients of gRPC do not send: bytes that must still come.
    pub(super) lengths: Calls<u64>,
    /// What is still to be sent of the bodies of answers to heads that are no calls.
    pub(super) bodies: Calls<&'static [u8]>,
    resets: Bucket,
    pub(super) settings: Bucket,
    pub(super) pings: Pings,
}

/// A header block under way.
pub(super) struct Block {
    pub(super) id: i32,
    pub(super) rules: Rules,
    pub(super) part: Part,
}

/// What a header block is.
pub(super) enum Part {
    /// A head that is the known one so far.
    Repeat(Repeat),
    Head(Head),
    /// Requests of gRPC have none: checked and read over.
    Trailers,
}

impl Core {
    pub(super) fn new(methods: &Methods, limits: &Arc<Limits>, budget: &Budget, now_s: f64) -> Self {
        Self {
            methods: methods.clone(),
            calls: Calls::default(),
            events: Vec::new(),
            block: None,
            known: None,
            lengths: Calls::default(),
            bodies: Calls::default(),
            resets: Bucket::new(limits.resets_burst, limits.resets_per_s, now_s),
            settings: Bucket::new(limits::SETTINGS_BURST, limits::SETTINGS_PER_S, now_s),
            pings: Pings::default(),
            link: Link::new(limits, Account::new(budget.clone()), now_s),
        }
    }

    /// A call is no more; tells the caller of the codec if it waits for something.
    pub(super) fn forget(&mut self, id: i32) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        call.release(&mut self.link.account);
        if call.heard == Heard::Begun && call.is_open() {
            self.events.push(ServerEvent::Cancelled { call_id: call_of(id) });
        }
    }

    /// The events since the last time. Those of a call that went before anybody heard of it are left out: a call that
    /// is reset in the read that opened it costs its caller more than it costs us.
    pub(super) fn take_events(&mut self) -> Vec<ServerEvent> {
        let mut events = std::mem::take(&mut self.events);
        events.retain(|event| {
            let (call_id, announces) = match event {
                ServerEvent::Cancelled { .. } => return true,
                ServerEvent::Call { call_id, .. } | ServerEvent::Opened { call_id, .. } => (*call_id, true),
                ServerEvent::Message { call_id, .. }
                | ServerEvent::Ended { call_id }
                | ServerEvent::Writable { call_id } => (*call_id, false),
            };
            let id = stream_of(call_id).unwrap_or_default();
            let Some(call) = self.calls.get_mut(&id).filter(|call| call.heard != Heard::NoMore) else { return false };
            if announces {
                call.heard = Heard::Begun;
            }
            true
        });
        events
    }

    /// Ends a call by ourselves. What it holds is given back now, its status is sent, and its caller is told to stop.
    pub(super) fn refuse(&mut self, session: &mut Actions<'_>, id: i32, refusal: &Refusal) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let is_told = call.heard == Heard::Begun && call.is_open();
        call.inbound.clear(&mut self.link.account);
        call.message = None;
        if call.is_open() {
            answer::finish(call, session, id, Trailers::refusal(refusal));
        }
        call.heard = Heard::NoMore;
        if is_told {
            self.events.push(ServerEvent::Cancelled { call_id: call_of(id) });
        }
    }

    /// Submits the head of the response, once; whether that was now.
    pub(super) fn begin(&mut self, session: &mut Actions<'_>, id: i32, metadata: Metadata) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.started) else { return false };
        call.started = true;
        answer::begin(session, id, metadata);
        true
    }

    /// Queues a message behind the head; one that has no place ends its call. False = wait: the high mark is reached, or
    /// the call was ended.
    pub(super) fn queue(&mut self, session: &mut Actions<'_>, id: i32, message: &[u8], end: End) -> bool {
        let begins = self.begin(session, id, Metadata::new());
        let Some(call) = self.calls.get_mut(&id) else { return true };
        let text = match call.outbound.push(&mut self.link.account, &self.link.limits, message) {
            Ok(room) => {
                call.end = end;
                // Who was not asked for bytes yet has not said that there are none.
                if !begins {
                    session.resume(id);
                }
                return room;
            }
            Err(Full::Message) => "reply refused: it has more than 4 GiB",
            Err(Full::Budget) => "reply refused: replies that wait hold all memory that is meant for them; try again",
        };
        self.refuse(session, id, &Refusal::new(Code::ResourceExhausted, text));
        false
    }

    /// The peer's last frame of this stream came.
    pub(super) fn input_ended(&mut self, session: &mut Actions<'_>, id: i32) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.heard != Heard::NoMore) else { return };
        if let Err(refusal) = call.inbound.end() {
            return self.refuse(session, id, &refusal);
        }
        let call_id = call_of(id);
        if !call.single {
            self.events.push(ServerEvent::Ended { call_id });
            return;
        }
        let Some(message) = call.message.take() else { return self.refuse(session, id, &cardinality("0")) };
        let (method, request) = (call.method, call.request.clone());
        self.events.push(ServerEvent::Call { call_id, method, message, request });
    }

    /// Why the connection ends, not the stream alone: a peer could have us send resets without end. CVE-2025-8671.
    pub(super) fn malformed(&mut self, session: &mut Actions<'_>, why: Malformed) {
        self.block = None;
        self.link.fail(session, h2::PROTOCOL_ERROR, &format!("a request is malformed: {why}"));
    }

    /// RFC 9113 section 8.1.1: a content-length must be what the DATA frames have. False = it is not.
    pub(super) fn count(&mut self, session: &mut Actions<'_>, id: i32, bytes: usize, last: bool) -> bool {
        let Some(left) = self.lengths.get_mut(&id) else { return true };
        let rest = left.checked_sub(bytes as u64).filter(|rest| *rest == 0 || !last);
        match rest {
            Some(rest) => *left = rest,
            None => self.malformed(session, "content-length is not what came"),
        }
        rest.is_some()
    }

    /// A head is whole.
    pub(super) fn head_ended(&mut self, session: &mut Actions<'_>, id: i32, head: Head, rules: &Rules) {
        if let Some(length) = rules.content_length {
            self.lengths.insert(id, length);
        }
        match head.judge(rules.list_bytes, self.link.limits.header_list_bytes_max) {
            Ok(accepted) => {
                self.known = Known::of(&accepted, rules);
                self.open(id, accepted);
            }
            Err(rejection) => {
                let body = answer::reject(session, id, rejection);
                if !body.is_empty() {
                    self.bodies.insert(id, body);
                }
            }
        }
    }

    /// A call begins.
    pub(super) fn open(&mut self, id: i32, accepted: Accepted) {
        let method = self.methods.get(accepted.method);
        let inbound = Inbound::new(method.message_bytes_max, accepted.encoding);
        if !method.single {
            let (call_id, method, request) = (call_of(id), accepted.method, accepted.request.clone());
            self.events.push(ServerEvent::Opened { call_id, method, request });
        }
        self.calls.insert(id, Call::new(accepted.method, method.single, accepted.request, inbound));
    }

    /// The body of an answer to a head that is no call.
    pub(super) fn body(&mut self, id: i32, room: usize) -> Fill<'static> {
        let Some(body) = self.bodies.get_mut(&id) else { return Fill { bytes: &[], then: Then::Wait } };
        let (bytes, rest) = body.split_at(room.min(body.len()));
        *body = rest;
        Fill { bytes, then: if rest.is_empty() { Then::End } else { Then::More } }
    }

    /// Something that only a broken or hostile peer does often.
    pub(super) fn count_reset(&mut self, session: &mut Actions<'_>) {
        if !self.resets.take(self.link.now_s) {
            self.link.fail(session, h2::ENHANCE_YOUR_CALM, "too many calls were reset");
        }
    }
}

/// "Request cardinality violation (method requires exactly one request but client has sent some other number of
/// requests): UNIMPLEMENTED." Source: statuscodes.md.
pub(super) fn cardinality(got: &str) -> Refusal {
    Refusal::new(Code::Unimplemented, format!("call refused: {got} request messages came, wanted exactly 1"))
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
        let mut gone: Vec<i32> = self.calls.keys().copied().collect();
        gone.sort_unstable();
        for id in gone {
            self.forget(id);
        }
    }

    fn retire(&mut self, session: &mut Actions<'_>) {
        session.announce_goaway();
    }
}
