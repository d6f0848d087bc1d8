//! Messages that come compressed, to either role. What leaves is never compressed.

use std::io::Write;

use decision_sidecar_native::{ClientConnection, ClientEvent, Code, Limits, Metadata, Outcome, ServerEvent};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{ALL, MESSAGE_BYTES_MAX, Pair, UNARY, raw};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("in memory");
    let body = encoder.finish().expect("in memory");
    let mut message = raw::message(&body);
    message[0] = 1;
    message
}

fn compressed_call(encoding: &'static str, message: &[u8]) -> Result<Vec<u8>, (u32, String)> {
    let mut pair = Pair::new();
    let id = pair.client.open(UNARY, Metadata::new(), None);
    pair.client.take_output(ALL);
    let id_on_wire = u32::try_from(id).expect("small");
    let mut input = raw::headers(id_on_wire, &raw::head("grpc-encoding", encoding));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, id_on_wire, message));
    if let Some(event) = pair.server.receive(&input, 0.0).pop() {
        let ServerEvent::Call { message, .. } = event else { panic!("{event:?}") };
        return Ok(message);
    }
    let outcome = pair.outcome(id);
    assert_eq!(pair.budget.bytes_held(), 0);
    Err((outcome.code, outcome.status_message))
}

#[test]
fn a_gzip_message_is_decompressed() {
    assert_eq!(compressed_call("gzip", &gzip(b"plain")).as_deref(), Ok(b"plain".as_slice()));
    let plain = vec![3; MESSAGE_BYTES_MAX];
    assert_eq!(compressed_call("gzip", &gzip(&plain)).as_deref(), Ok(plain.as_slice()));
}

#[test]
fn a_gzip_bomb_is_refused_at_the_message_limit() {
    let (code, text) = compressed_call("gzip", &gzip(&vec![0; 12 << 20])).expect_err("refused");
    assert_eq!(code, Code::ResourceExhausted as u32);
    assert_eq!(text, "message refused: it has more when decompressed, wanted 1048576 at most");
}

#[test]
fn what_is_no_gzip_or_not_announced_is_an_internal_error() {
    let mut broken = raw::message(b"not gzip at all");
    broken[0] = 1;
    assert_eq!(compressed_call("gzip", &broken).expect_err("refused").0, Code::Internal as u32);
    assert_eq!(compressed_call("identity", &gzip(b"x")).expect_err("refused").0, Code::Internal as u32);
    broken[0] = 2;
    assert_eq!(compressed_call("gzip", &broken).expect_err("refused").0, Code::Internal as u32);
}

#[test]
fn an_unknown_encoding_is_unimplemented() {
    let (code, text) = compressed_call("zstd", &gzip(b"x")).expect_err("refused");
    assert_eq!((code, text.as_str()), (Code::Unimplemented as u32, "grpc-encoding is `zstd`, wanted identity or gzip"));
}

/// What a client makes of an answer by hand: its encoding, its messages.
fn answered(encoding: &str, messages: &[u8]) -> Outcome {
    let limits = Limits { message_bytes_max: MESSAGE_BYTES_MAX, ..Limits::default() };
    let mut client = ClientConnection::new("http", "here:1", "tests/1", &limits.into(), 0.0).expect("made");
    let id = u32::try_from(client.call(UNARY, b"x", Metadata::new(), None)).expect("small");
    client.take_output(ALL);
    let head = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", encoding)];
    let mut input = raw::frame(raw::SETTINGS, 0, 0, b"");
    input.extend(raw::headers(id, &raw::block(head)));
    for piece in messages.chunks(16_000) {
        input.extend(raw::frame(raw::DATA, 0, id, piece));
    }
    let trailers = raw::block([("grpc-status", "0")]);
    input.extend(raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, id, &trailers));
    let mut events = client.receive(&input, 0.0);
    assert!(!client.closed(), "{}", client.failure());
    match events.pop() {
        Some(ClientEvent::Finished { outcome, .. }) if events.is_empty() => *outcome,
        other => panic!("{other:?} {events:?}"),
    }
}

#[test]
fn a_client_reads_replies_in_gzip() {
    let plain = vec![3; MESSAGE_BYTES_MAX];
    for message in [b"plain".as_slice(), &plain] {
        let outcome = answered("gzip", &gzip(message));
        assert_eq!((outcome.code, outcome.message.as_deref()), (0, Some(message)));
    }
    // The flag of each message decides, not the head alone.
    assert_eq!(answered("gzip", &raw::message(b"as it is")).message.as_deref(), Some(b"as it is".as_slice()));
}

#[test]
fn a_client_refuses_a_reply_that_is_a_bomb_or_no_gzip_or_not_announced() {
    let bomb = answered("gzip", &gzip(&vec![0; 12 << 20]));
    assert_eq!(bomb.code, Code::ResourceExhausted as u32);
    assert_eq!(bomb.status_message, "message refused: it has more when decompressed, wanted 1048576 at most");
    let mut broken = raw::message(b"not gzip at all");
    broken[0] = 1;
    for (encoding, message) in [("gzip", &broken), ("identity", &gzip(b"x")), ("zstd", &gzip(b"x"))] {
        let outcome = answered(encoding, message);
        assert_eq!((outcome.code, outcome.message), (Code::Internal as u32, None), "{encoding}");
    }
}
