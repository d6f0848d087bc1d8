//! What a server's connection knows beside HTTP/2 itself, and what it does when the library reports something.

use std::sync::Arc;

use super::answer;
use super::call::{Call, End, Heard};
use super::event::ServerEvent;
use super::head::{Head, Methods};
use crate::budget::{Account, Budget};
use crate::calls::{Calls, call_of, stream_of};
use crate::connection::{Link, Role};
use crate::inbound::Inbound;
use crate::limits::{self, Limits};
use crate::metadata::Metadata;
use crate::nghttp2::{Actions, Control, Fill, Handler, Then};
use crate::outbound::Full;
use crate::pace::{Bucket, Pings};
use crate::status::{Code, Refusal, Trailers, h2};

/// Everything of a connection but the library's session.
pub(super) struct Core {
    methods: Methods,
    pub(super) link: Link,
    pub(super) calls: Calls<Call>,
    pub(super) events: Vec<ServerEvent>,
    /// The header block under way.
    head: Option<Head>,
    resets: Bucket,
    settings: Bucket,
    pings: Pings,
}

impl Core {
    pub(super) fn new(methods: &Methods, limits: &Arc<Limits>, budget: &Budget, now_s: f64) -> Self {
        Self {
            methods: methods.clone(),
            calls: Calls::default(),
            events: Vec::new(),
            head: None,
            resets: Bucket::new(limits.resets_burst, limits.resets_per_s, now_s),
            settings: Bucket::new(limits::SETTINGS_BURST, limits::SETTINGS_PER_S, now_s),
            pings: Pings::default(),
            link: Link::new(limits, Account::new(budget.clone()), now_s),
        }
    }

    /// A call is no more; tells the caller of the codec if it waits for something.
    fn forget(&mut self, id: i32) {
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

    /// Submits the head of the response, once.
    pub(super) fn begin(&mut self, session: &mut Actions<'_>, id: i32, metadata: Metadata) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.started) else { return };
        call.started = true;
        answer::begin(session, id, metadata);
    }

    /// Queues a message behind the head; one that has no place ends its call. False = the high mark is reached.
    pub(super) fn queue(&mut self, session: &mut Actions<'_>, id: i32, message: &[u8], end: End) -> bool {
        self.begin(session, id, Metadata::new());
        let Some(call) = self.calls.get_mut(&id) else { return true };
        let text = match call.outbound.push(&mut self.link.account, &self.link.limits, message) {
            Ok(room) => {
                call.end = end;
                session.resume(id);
                return room;
            }
            Err(Full::Message) => "reply refused: it has more than 4 GiB",
            Err(Full::Budget) => "reply refused: replies that wait hold all memory that is meant for them; try again",
        };
        self.refuse(session, id, &Refusal::new(Code::ResourceExhausted, text));
        true
    }

    /// The peer's last frame of this stream came.
    fn input_ended(&mut self, session: &mut Actions<'_>, id: i32) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.heard != Heard::NoMore) else { return };
        if let Err(refusal) = call.inbound.end() {
            return self.refuse(session, id, &refusal);
        }
        let call_id = call_of(id);
        if !call.single {
            self.events.push(ServerEvent::Ended { call_id });
            return;
        }
        match (call.message.take(), call.request.take()) {
            (Some(message), Some(request)) => {
                self.events.push(ServerEvent::Call { call_id, method: call.method, message, request });
            }
            _ => self.refuse(session, id, &cardinality("0")),
        }
    }

    /// Something that only a broken or hostile peer does often.
    fn count_reset(&mut self, session: &mut Actions<'_>) {
        if !self.resets.take(self.link.now_s) {
            self.link.fail(session, h2::ENHANCE_YOUR_CALM, "too many calls were reset");
        }
    }
}

/// "Request cardinality violation (method requires exactly one request but client has sent some other number of
/// requests): UNIMPLEMENTED." Source: statuscodes.md.
fn cardinality(got: &str) -> Refusal {
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

impl Handler for Core {
    fn headers_begun(&mut self, _session: &mut Actions<'_>, id: i32) {
        // A second block of a call is trailers, which requests of gRPC have not: read over.
        let is_new = self.link.failure.is_none() && !self.calls.contains_key(&id);
        self.head = is_new.then(|| Head::new(id, self.link.limits.header_list_bytes_max));
    }

    fn header(&mut self, session: &mut Actions<'_>, id: i32, name: &[u8], value: &[u8]) {
        let Some(head) = self.head.as_mut().filter(|head| head.id == id) else { return };
        head.push(&self.methods, name, value);
        if head.list_bytes > self.link.limits.header_list_bytes_max.saturating_mul(limits::HEADER_LIST_KILL_FACTOR) {
            self.head = None;
            self.link.fail(session, h2::ENHANCE_YOUR_CALM, "a header list is many times too large");
        }
    }

    fn headers_ended(&mut self, session: &mut Actions<'_>, id: i32, last: bool) {
        if self.link.failure.is_some() {
            return;
        }
        if let Some(head) = self.head.take().filter(|head| head.id == id) {
            let accepted = match head.judge() {
                Ok(accepted) => accepted,
                Err(rejection) => return answer::reject(session, id, rejection),
            };
            let method = self.methods.get(accepted.method);
            let inbound = Inbound::new(method.message_bytes_max, accepted.encoding);
            let mut call = Call::new(accepted.method, method.single, inbound);
            if method.single {
                call.request = Some(accepted.request);
            } else {
                let (call_id, method, request) = (call_of(id), accepted.method, accepted.request);
                self.events.push(ServerEvent::Opened { call_id, method, request });
            }
            self.calls.insert(id, call);
        }
        if last {
            self.input_ended(session, id);
        }
    }

    fn chunk(&mut self, session: &mut Actions<'_>, id: i32, bytes: &[u8]) {
        self.link.uncredited += bytes.len();
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.heard != Heard::NoMore) else { return };
        let Call { single, inbound, message: first, .. } = call;
        let events = &mut self.events;
        let taken = inbound.take(&mut self.link.account, bytes, !*single, |message| {
            if !*single {
                events.push(ServerEvent::Message { call_id: call_of(id), message });
            } else if first.replace(message).is_some() {
                return Err(cardinality("2 or more"));
            }
            Ok(())
        });
        match taken {
            Err(refusal) => self.refuse(session, id, &refusal),
            Ok(()) => session.credit_stream(id, inbound.credit(0)),
        }
    }

    fn data_ended(&mut self, session: &mut Actions<'_>, id: i32) {
        self.input_ended(session, id);
    }

    fn control(&mut self, session: &mut Actions<'_>, frame: Control<'_>) {
        match frame {
            Control::Settings if !self.settings.take(self.link.now_s) => {
                self.link.fail(session, h2::ENHANCE_YOUR_CALM, "too many SETTINGS");
            }
            // The text is what clients of gRPC look for. Source: gRPC A8.
            Control::Ping if !self.pings.allow(self.link.now_s, &self.link.limits) => {
                self.link.fail(session, h2::ENHANCE_YOUR_CALM, "too_many_pings");
            }
            Control::Reset | Control::Invalid => self.count_reset(session),
            _ => self.link.note(&frame),
        }
    }

    fn closed(&mut self, _session: &mut Actions<'_>, id: i32, _code: u32) {
        self.forget(id);
    }

    fn ended(&mut self, session: &mut Actions<'_>, id: i32, unsent: bool) {
        if unsent {
            session.reset(id, h2::INTERNAL_ERROR);
        } else if !session.peer_ended(id) {
            // RFC 9113 section 8.1: "a server MAY request that the client abort transmission of a request without
            // error by sending a RST_STREAM with an error code of NO_ERROR after sending a complete response".
            session.reset(id, h2::NO_ERROR);
        }
    }

    fn fill(&mut self, session: &mut Actions<'_>, id: i32, room: usize) -> Fill<'_> {
        const NOTHING: Fill<'static> = Fill { bytes: &[], then: Then::Wait };
        let Some(call) = self.calls.get_mut(&id) else { return NOTHING };
        let at_end = match &call.end {
            End::Open => Then::Wait,
            End::Ok | End::Status(_) => Then::Trailers,
        };
        let call_is_open = call.is_open();
        let (fill, writable) = call.outbound.pull(&mut self.link.account, &self.link.limits, room, at_end);
        self.pings.forgive();
        if writable && call_is_open {
            self.events.push(ServerEvent::Writable { call_id: call_of(id) });
        }
        if fill.then == Then::Trailers {
            answer::end(session, id, &call.end);
        }
        fill
    }
}
