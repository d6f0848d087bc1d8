//! How a call ends: codes, and what HTTP says when gRPC says nothing.

use crate::limits;
use crate::metadata::{Metadata, Outgoing};
use crate::nghttp2::Field;
use crate::wire;

/// A status code of gRPC. Source: statuscodes.md of the grpc project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    ResourceExhausted = 8,
    PermissionDenied = 7,
    Unauthenticated = 16,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// Codes of RFC 9113 section 7.
pub(crate) mod h2 {
    pub(crate) const NO_ERROR: u32 = 0;
    pub(crate) const PROTOCOL_ERROR: u32 = 1;
    pub(crate) const INTERNAL_ERROR: u32 = 2;
    pub(crate) const REFUSED_STREAM: u32 = 7;
    pub(crate) const CANCEL: u32 = 8;
    pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;
    pub(crate) const INADEQUATE_SECURITY: u32 = 12;
}

/// Why the codec itself ends a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The status of a call in the form that goes out.
pub(crate) struct Trailers {
    code: String,
    message: Vec<u8>,
    details: Vec<u8>,
    metadata: Outgoing,
}

impl Trailers {
    pub(crate) fn new(code: u32, message: &str, details: &[u8], metadata: Metadata) -> Self {
        let end =
            (0..=message.len().min(limits::STATUS_MESSAGE_BYTES_MAX)).rev().find(|end| message.is_char_boundary(*end));
        Self {
            code: code.to_string(),
            message: wire::percent_encoded(&message[..end.unwrap_or(0)]),
            details: wire::base64_encoded(details),
            metadata: Outgoing::new(metadata),
        }
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        Self::new(refusal.code as u32, &refusal.message, b"", Vec::new())
    }

    /// The fields, within what the peer takes: one that does not fit is left out. A list that is too large is an error
    /// of the connection at some peers, and none at all at others; the code must arrive.
    pub(crate) fn fields(&self, bytes_max: usize) -> Vec<Field<'_>> {
        let mut room = bytes_max;
        let status = Field::Fresh(b"grpc-status", self.code.as_bytes());
        let message = (!self.message.is_empty()).then_some(Field::Fresh(b"grpc-message", &self.message));
        let details = (!self.details.is_empty()).then_some(Field::Fresh(b"grpc-status-details-bin", &self.details));
        let all = std::iter::once(status).chain(message).chain(details).chain(self.metadata.fields());
        let mut fields = Vec::new();
        for field in all {
            if fields.is_empty() || field.list_bytes() <= room {
                room = room.saturating_sub(field.list_bytes());
                fields.push(field);
            }
        }
        fields
    }
}

/// What a status of HTTP means when no `grpc-status` came. Source: http-grpc-status-mapping.md of the grpc project.
pub(crate) fn code_of_http(status: &[u8]) -> Code {
    match status {
        b"400" => Code::Internal,
        b"401" => Code::Unauthenticated,
        b"403" => Code::PermissionDenied,
        b"404" => Code::Unimplemented,
        b"429" | b"502" | b"503" | b"504" => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// What a reset means to a client. Source: PROTOCOL-HTTP2.md, HTTP2 Transport Mapping, Errors.
pub(crate) fn code_of_reset(code: u32) -> Code {
    match code {
        h2::REFUSED_STREAM => Code::Unavailable,
        h2::CANCEL => Code::Cancelled,
        h2::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        h2::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Internal,
    }
}
