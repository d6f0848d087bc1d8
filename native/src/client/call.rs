//! One call, as the client sees it.

use crate::budget::Account;
use crate::framing::Encoding;
use crate::inbound::Inbound;
use crate::metadata::{Headers, Metadata, is_reserved, text};
use crate::outbound::Outbound;
use crate::status::{Code, Refusal, code_of_http, code_of_reset, h2};
use crate::wire;

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of gRPC; 0 = OK.
    pub code: u32,
    /// `grpc-message`, decoded; or what the codec says.
    pub status_message: String,
    /// `grpc-status-details-bin`, decoded; empty without it.
    pub details: Vec<u8>,
    /// The reply of a unary call that is OK.
    pub message: Option<Vec<u8>>,
    /// The server has certainly not begun it: safe to send again. RFC 9113 sections 6.8 and 8.7.
    pub unprocessed: bool,
    trailers: Headers,
}

impl Outcome {
    /// The server's metadata behind the last message.
    #[must_use]
    pub fn trailers(&self) -> Metadata {
        self.trailers.metadata()
    }

    pub(super) fn failed(refusal: Refusal) -> Self {
        Self {
            code: refusal.code as u32,
            status_message: refusal.message,
            details: Vec::new(),
            message: None,
            unprocessed: false,
            trailers: Headers::default(),
        }
    }

    /// The stream was reset, or ended without a status.
    pub(super) fn reset(code: u32) -> Self {
        let message = match code {
            h2::NO_ERROR => "the stream ended without a status".to_owned(),
            _ => format!("the stream was reset with code {code}"),
        };
        let unprocessed = code == h2::REFUSED_STREAM;
        Self { unprocessed, ..Self::failed(Refusal::new(code_of_reset(code), message)) }
    }
}

/// A header block of a response, as it comes.
#[derive(Default)]
pub(super) struct Block {
    pub(super) id: i32,
    /// As RFC 9113 section 6.5.2 counts.
    pub(super) list_bytes: usize,
    http_status: Vec<u8>,
    is_grpc: bool,
    encoding: Option<Encoding>,
    grpc_status: Option<u32>,
    message: String,
    details: Vec<u8>,
    rest: Headers,
}

impl Block {
    pub(super) fn new(id: i32) -> Self {
        Self { id, ..Self::default() }
    }

    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b":status" => self.http_status = value.to_vec(),
            b"content-type" => self.is_grpc = value.starts_with(b"application/grpc"),
            b"grpc-encoding" => self.encoding = Encoding::named(value),
            b"grpc-status" => self.grpc_status = text(value).parse().ok(),
            b"grpc-message" => self.message = wire::percent_decoded(value),
            b"grpc-status-details-bin" => self.details = wire::base64_decoded(value).unwrap_or_default(),
            _ if is_reserved(name) => (),
            _ => self.rest.push(name, value),
        }
    }

    /// RFC 9110 section 15.2: more heads follow.
    pub(super) fn is_informational(&self) -> bool {
        self.http_status.first() == Some(&b'1')
    }

    /// Whether messages may follow this head, and in which encoding they are.
    pub(super) fn head(&self) -> Result<Encoding, Outcome> {
        if self.http_status != b"200" || !self.is_grpc {
            return Err(self.no_grpc());
        }
        // Why an encoding that we do not speak is none: it matters only once a message is compressed.
        Ok(self.encoding.unwrap_or_default())
    }

    fn no_grpc(&self) -> Outcome {
        let code = if self.http_status == b"200" { Code::Unknown } else { code_of_http(&self.http_status) };
        let status = text(&self.http_status);
        Outcome::failed(Refusal::new(code, format!("the answer is no gRPC: HTTP status {status}")))
    }

    /// "Trailers → Status [Status-Message] *Custom-Metadata". `is_head` = Trailers-Only.
    pub(super) fn outcome(self, is_head: bool) -> Outcome {
        let Some(code) = self.grpc_status else {
            if is_head {
                return self.no_grpc();
            }
            return Outcome::failed(Refusal::new(Code::Unknown, "the trailers have no grpc-status that is a number"));
        };
        Outcome {
            code,
            status_message: self.message,
            details: self.details,
            message: None,
            unprocessed: false,
            trailers: self.rest,
        }
    }
}

pub(super) struct Call {
    /// One reply, given with the outcome.
    pub(super) unary: bool,
    /// The head of the response came.
    pub(super) answered: bool,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) half_closed: bool,
    pub(super) message: Option<Vec<u8>>,
}

impl Call {
    pub(super) fn new(unary: bool) -> Self {
        Self {
            unary,
            answered: false,
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            half_closed: false,
            message: None,
        }
    }

    /// What the status means together with the messages that came.
    pub(super) fn conclude(&mut self, outcome: Outcome) -> Outcome {
        if outcome.code != Code::Ok as u32 {
            return outcome;
        }
        if let Err(refusal) = self.inbound.end() {
            return Outcome::failed(refusal);
        }
        if !self.unary {
            return outcome;
        }
        match self.message.take() {
            Some(message) => Outcome { message: Some(message), ..outcome },
            None => Outcome::failed(cardinality("0")),
        }
    }

    pub(super) fn release(&mut self, account: &mut Account) {
        self.inbound.clear(account);
        self.outbound.clear(account);
    }
}

/// "Response cardinality violation (method requires exactly one response but server sent some other number of
/// responses): UNIMPLEMENTED." Source: statuscodes.md.
pub(super) fn cardinality(got: &str) -> Refusal {
    Refusal::new(Code::Unimplemented, format!("reply refused: {got} messages came, wanted exactly 1"))
}
