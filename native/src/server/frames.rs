//! What the library reports, and what it means for the calls of a server.

use super::answer;
use super::call::{Call, End, Heard};
use super::core::{Block, Core, Part, cardinality};
use super::event::ServerEvent;
use super::head::Head;
use super::known::Repeat;
use super::rules::{Rules, stripped};
use crate::calls::call_of;
use crate::limits;
use crate::nghttp2::{Actions, Control, Fill, Handler, Then};
use crate::status::h2;

impl Handler for Core {
    fn headers_begun(&mut self, _session: &mut Actions<'_>, id: i32, first: bool) {
        let rules = if first { Rules::of_head() } else { Rules::of_trailers() };
        let part = match &self.known {
            _ if !first => Part::Trailers,
            Some(_) => Part::Repeat(Repeat::default()),
            None => Part::Head(Head::new()),
        };
        let block = Block { id, rules, part };
        self.block = self.link.failure.is_none().then_some(block);
    }

    fn header(&mut self, session: &mut Actions<'_>, id: i32, name: &[u8], value: &[u8]) {
        let Some(block) = self.block.as_mut().filter(|block| block.id == id) else { return };
        let value = stripped(value);
        if let (Part::Repeat(repeat), Some(known)) = (&mut block.part, &self.known) {
            if known.repeats(repeat, name, value) {
                return;
            }
            match known.replay(repeat, &self.methods, &mut block.rules) {
                Ok(head) => block.part = Part::Head(head),
                Err(why) => return self.malformed(session, why),
            }
        }
        if let Err(why) = block.rules.field(name, value) {
            return self.malformed(session, why);
        }
        let (list_bytes, bytes_max) = (block.rules.list_bytes, self.link.limits.header_list_bytes_max);
        if list_bytes > bytes_max.saturating_mul(limits::HEADER_LIST_KILL_FACTOR) {
            self.block = None;
            return self.link.fail(session, h2::ENHANCE_YOUR_CALM, "a header list is many times too large");
        }
        // What is too large is decoded on, as the table of HPACK must follow, but not kept.
        if let Part::Head(head) = &mut block.part
            && list_bytes <= bytes_max
        {
            head.push(&self.methods, name, value);
        }
    }

    fn headers_ended(&mut self, session: &mut Actions<'_>, id: i32, last: bool) {
        let Some(Block { mut rules, part, .. }) = self.block.take().filter(|block| block.id == id) else { return };
        let head = match (part, &self.known) {
            (Part::Repeat(repeat), Some(known)) => {
                if let Some(accepted) = known.verdict(&repeat, self.link.limits.header_list_bytes_max) {
                    if let Some(length) = known.content_length {
                        self.lengths.insert(id, length);
                    }
                    self.open(id, accepted);
                    if last {
                        self.data_ended(session, id);
                    }
                    return;
                }
                match known.replay(&repeat, &self.methods, &mut rules) {
                    Ok(head) => Some(head),
                    Err(why) => return self.malformed(session, why),
                }
            }
            (Part::Head(head), _) => Some(head),
            _ => None,
        };
        if let Err(why) = rules.end(last) {
            return self.malformed(session, why);
        }
        if let Some(head) = head {
            self.head_ended(session, id, head, &rules);
        }
        if last {
            self.data_ended(session, id);
        }
    }

    fn chunk(&mut self, session: &mut Actions<'_>, id: i32, bytes: &[u8]) {
        self.link.uncredited += bytes.len();
        if !self.lengths.is_empty() && !self.count(session, id, bytes.len(), false) {
            return;
        }
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
            // A whole request: what could come on this stream is refused.
            Ok(()) if first.is_some() => (),
            Ok(()) => session.credit_stream(id, inbound.credit(0)),
        }
    }

    fn data_ended(&mut self, session: &mut Actions<'_>, id: i32) {
        if self.count(session, id, 0, true) {
            self.input_ended(session, id);
        }
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
            Control::PriorityOfNone => self.link.fail(session, h2::PROTOCOL_ERROR, "PRIORITY of stream 0"),
            Control::Reset | Control::Invalid => self.count_reset(session),
            _ => self.link.note(&frame),
        }
    }

    fn closed(&mut self, _session: &mut Actions<'_>, id: i32, _code: u32) {
        self.forget(id);
        if !self.lengths.is_empty() {
            self.lengths.remove(&id);
        }
        if !self.bodies.is_empty() {
            self.bodies.remove(&id);
        }
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
        if !self.bodies.is_empty() && !self.calls.contains_key(&id) {
            return self.body(id, room);
        }
        let Some(call) = self.calls.get_mut(&id) else { return Fill { bytes: &[], then: Then::Wait } };
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
