//! One call, as the server sees it.

use crate::budget::Account;
use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::server::head::Request;
use crate::status::Trailers;

/// How a call ends, once that is known.
pub(super) enum End {
    Open,
    /// Status OK and nothing else: the most frequent end, without an allocation.
    Ok,
    Status(Box<Trailers>),
}

/// What the caller of the codec knows of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    NotYet,
    /// It was told, and waits for more.
    Begun,
    /// Refused by the codec: it is told that the call was cancelled, if it was told of it at all.
    NoMore,
}

pub(super) struct Call {
    pub(super) method: u32,
    /// One request message, handed over with CALL.
    pub(super) single: bool,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) request: Request,
    /// Of a single call: what CALL will bring.
    pub(super) message: Option<Vec<u8>>,
    pub(super) heard: Heard,
    /// The head of the response was submitted.
    pub(super) started: bool,
    pub(super) end: End,
}

impl Call {
    pub(super) fn new(method: u32, single: bool, request: Request, inbound: Inbound) -> Self {
        Self {
            method,
            single,
            inbound,
            outbound: Outbound::default(),
            request,
            message: None,
            heard: Heard::NotYet,
            started: false,
            end: End::Open,
        }
    }

    /// Neither ended nor refused: the caller of the codec may still answer.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.end, End::Open) && self.heard != Heard::NoMore
    }

    pub(super) fn release(&mut self, account: &mut Account) {
        self.inbound.clear(account);
        self.outbound.clear(account);
    }
}
