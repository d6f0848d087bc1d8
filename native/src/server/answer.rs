//! What a server says of a call: its head, its trailers, or both in one.

use super::call::{Call, End};
use super::head::Rejection;
use crate::limits;
use crate::metadata::{Metadata, Outgoing};
use crate::nghttp2::{Actions, Fault, Field};
use crate::status::{Trailers, h2};

const OK_HEAD: [Field<'static>; 2] =
    [Field::Fixed(b":status", b"200"), Field::Fixed(b"content-type", b"application/grpc")];
const OK_TRAILERS: [Field<'static>; 1] = [Field::Fixed(b"grpc-status", b"0")];
const ENCODINGS: Field<'static> = Field::Fixed(b"grpc-accept-encoding", b"identity,gzip");

/// The head of a response whose messages follow.
pub(super) fn begin(session: &mut Actions<'_>, id: i32, metadata: Metadata) {
    let begun = if metadata.is_empty() {
        session.respond(id, &OK_HEAD, true)
    } else {
        let metadata = Outgoing::new(metadata);
        let fields: Vec<_> = OK_HEAD.into_iter().chain(metadata.fields()).collect();
        session.respond(id, &fields, true)
    };
    if begun.is_err() {
        session.reset(id, h2::INTERNAL_ERROR);
    }
}

/// The trailers of a response whose messages are sent.
pub(super) fn end(session: &mut Actions<'_>, id: i32, end: &End) {
    let sent = match end {
        End::Status(trailers) => session.trailers(id, &trailers.fields(trailers_bytes_max(session))),
        End::Open | End::Ok => session.trailers(id, &OK_TRAILERS),
    };
    if sent.is_err() {
        session.reset(id, h2::INTERNAL_ERROR);
    }
}

/// Ends a call: trailers alone if nothing was sent, else trailers behind what is queued.
pub(super) fn finish(call: &mut Call, session: &mut Actions<'_>, id: i32, trailers: Trailers) {
    if call.started {
        call.end = End::Status(Box::new(trailers));
        session.resume(id);
        return;
    }
    call.started = true;
    if respond_status(session, id, &trailers, None).is_err() {
        session.reset(id, h2::INTERNAL_ERROR);
    }
    call.end = End::Status(Box::new(trailers));
}

/// Answers a head that makes no call; returns the text that is its body, if it has one.
pub(super) fn reject(session: &mut Actions<'_>, id: i32, rejection: Rejection) -> &'static [u8] {
    const PLAIN: Field<'static> = Field::Fixed(b"content-type", b"text/plain");
    let mut body: &[u8] = b"";
    let sent = match rejection {
        Rejection::NoPost => {
            body = b"this is gRPC: wanted POST\n";
            session.respond(id, &[Field::Fixed(b":status", b"405"), Field::Fixed(b"allow", b"POST"), PLAIN], true)
        }
        Rejection::NoGrpc => {
            body = b"this is gRPC: wanted content-type application/grpc\n";
            session.respond(id, &[Field::Fixed(b":status", b"415"), PLAIN], true)
        }
        Rejection::Status(refusal) => respond_status(session, id, &Trailers::refusal(&refusal), None),
        Rejection::Encoding(refusal) => respond_status(session, id, &Trailers::refusal(&refusal), Some(ENCODINGS)),
    };
    if sent.is_err() {
        session.reset(id, h2::INTERNAL_ERROR);
    }
    body
}

/// "Trailers-Only → HTTP-Status Content-Type Trailers".
fn respond_status(
    session: &mut Actions<'_>,
    id: i32,
    trailers: &Trailers,
    extra: Option<Field<'static>>,
) -> Result<(), Fault> {
    let mut fields = OK_HEAD.to_vec();
    fields.extend(extra);
    let used = fields.iter().map(Field::list_bytes).sum();
    fields.extend(trailers.fields(trailers_bytes_max(session).saturating_sub(used)));
    session.respond(id, &fields, false)
}

fn trailers_bytes_max(session: &Actions<'_>) -> usize {
    match session.peer_header_list_bytes_max() {
        u32::MAX => limits::TRAILERS_BYTES_MAX,
        told => told as usize,
    }
}
