//! Requests against RFC 9113 section 8: what is malformed ends the connection, and what gRPC's clients do is taken.

use decision_sidecar_native::{Budget, Limits, ServerConnection, ServerEvent};

use crate::support::{self, ALL, UNARY, raw};

const PROTOCOL_ERROR: u32 = 1;

fn server() -> ServerConnection {
    support::server(Limits::default(), &Budget::new(1 << 20))
}

/// Why a connection ended that heard this; it must be for what the peer did, with nobody told of a call.
fn refused(input: &[u8]) -> String {
    let mut server = server();
    let heard = server.receive(input, 0.0);
    assert!(heard.is_empty(), "{heard:?}");
    let frames = raw::frames(server.take_output(ALL));
    let goaway = frames.iter().find(|frame| frame.0 == raw::GOAWAY).expect("told");
    assert_eq!(goaway.3[4..8], PROTOCOL_ERROR.to_be_bytes());
    assert!(server.closed());
    server.failure().replace("a request is malformed: ", "")
}

/// A good head with these fields in place of those of their names: pseudo-fields in front, others behind.
fn head_with(fields: &[(&'static str, &'static str)]) -> Vec<u8> {
    let rest = raw::HEAD.into_iter().filter(|field| fields.iter().all(|other| other.0 != field.0));
    let (pseudo, regular): (Vec<_>, Vec<_>) = fields.iter().copied().partition(|field| field.0.starts_with(':'));
    raw::headers(1, &raw::block(pseudo.into_iter().chain(rest).chain(regular)))
}

fn call_with(fields: &[(&'static str, &'static str)]) -> Vec<u8> {
    let mut input = head_with(fields);
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &raw::message(b"x")));
    input
}

#[test]
fn a_head_that_breaks_a_rule_ends_the_connection_which_says_the_rule() {
    type Fields = &'static [(&'static str, &'static str)];
    let cases: [(&str, &[Fields]); 8] = [
        (
            "a field's name has an upper-case or forbidden character",
            &[&[("K", "")], &[("", "")], &[("a:b", "")], &[("é", "")]],
        ),
        (
            "a field's value has a control character",
            &[&[("k", "a\nb")], &[(":path", "/\0")], &[(":authority", "\x7f")]],
        ),
        (
            "a field belongs to HTTP/1",
            &[
                &[("connection", "close")],
                &[("keep-alive", "1")],
                &[("proxy-connection", "x")],
                &[("transfer-encoding", "chunked")],
                &[("upgrade", "x")],
            ],
        ),
        ("te is not trailers", &[&[("te", "gzip, trailers")], &[("te", "")]]),
        (
            "content-length is no number or comes twice",
            &[
                &[("content-length", "")],
                &[("content-length", "+6")],
                &[("content-length", "99999999999999999999")],
                &[("content-length", "6"), ("content-length", "6")],
            ],
        ),
        (
            "a pseudo-field's value is malformed",
            &[&[(":path", "")], &[(":path", "no/slash")], &[(":method", "")], &[(":scheme", "")]],
        ),
        (
            "a pseudo-field comes twice",
            &[&[(":path", UNARY), (":path", UNARY)], &[(":authority", "a"), (":authority", "b")]],
        ),
        ("a pseudo-field is unknown", &[&[(":status", "200")], &[(":protocol", "websocket")], &[(":", "x")]]),
    ];
    for (why, all) in cases {
        for fields in all {
            assert_eq!(refused(&head_with(fields)), why, "{fields:?}");
        }
    }
    for name in [":method", ":scheme", ":path"] {
        assert_eq!(refused(&raw::headers(1, &raw::head(name, ""))), "a pseudo-field is missing", "{name}");
    }
    let misplaced = raw::block([("k", "v")].into_iter().chain(raw::HEAD));
    assert_eq!(refused(&raw::headers(1, &misplaced)), "a pseudo-field comes behind others or in trailers");
}

#[test]
fn a_content_length_must_be_what_comes_whether_the_head_makes_a_call_or_not() {
    let wrong = "content-length is not what came";
    let body = raw::message(b"x");
    for kind in ["application/grpc", "text/plain"] {
        let fields = |length| {
            let head = raw::HEAD.into_iter().filter(|field| field.0 != "content-type");
            raw::block(head.chain([("content-type", kind), ("content-length", length)]))
        };
        for (length, last) in [("5", 0), ("7", raw::END_STREAM), ("0", 0)] {
            let mut input = raw::headers(1, &fields(length));
            input.extend(raw::frame(raw::DATA, last, 1, &body));
            assert_eq!(refused(&input), wrong, "{kind} {length}");
        }
        let at_once = raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, &fields("6"));
        assert_eq!(refused(&at_once), wrong);
        let mut trailers = raw::headers(1, &fields("6"));
        trailers.extend(raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, &raw::block([("k", "v")])));
        assert_eq!(refused(&trailers), wrong);
    }
    let mut server = server();
    let mut input = raw::headers(1, &raw::head("content-length", "6"));
    input.extend(raw::frame(raw::DATA, 0, 1, &body[..2]));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &body[2..]));
    assert!(matches!(server.receive(&input, 0.0).as_slice(), [ServerEvent::Call { .. }]));
}

#[test]
fn trailers_are_read_over_if_they_are_well_formed_and_last() {
    let trailers = |fields: &[(&'static str, &'static str)], flags| {
        let mut input = raw::headers(1, &raw::head("k", "v"));
        input.extend(raw::frame(raw::DATA, 0, 1, &raw::message(b"x")));
        input.extend(raw::frame(raw::HEADERS, raw::END_HEADERS | flags, 1, &raw::block(fields.iter().copied())));
        input
    };
    let heard = server().receive(&trailers(&[("k", "v")], raw::END_STREAM), 0.0);
    assert!(matches!(heard.as_slice(), [ServerEvent::Call { .. }]), "{heard:?}");
    assert_eq!(refused(&trailers(&[("k", "v")], 0)), "trailers do not end the stream");
    let misplaced = "a pseudo-field comes behind others or in trailers";
    assert_eq!(refused(&trailers(&[(":path", UNARY)], raw::END_STREAM)), misplaced);
    assert_eq!(refused(&trailers(&[("connection", "close")], raw::END_STREAM)), "a field belongs to HTTP/1");
}

#[test]
fn what_clients_of_grpc_send_is_taken() {
    // The path of a Unix socket is the authority of grpc-java; grpcio has it percent-encoded; gRPC lets it be left out.
    for authority in ["/run/sidecar/sidecar.sock", "run%2Fsidecar.sock", "[::1]:80", "user@host", ""] {
        let mut server = server();
        let heard = server.receive(&call_with(&[(":authority", authority)]), 0.0);
        let [ServerEvent::Call { request, .. }] = heard.as_slice() else { panic!("{authority}: {heard:?}") };
        assert_eq!(request.authority(), authority);
    }
    let mut input = raw::headers(1, &raw::head(":authority", ""));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &raw::message(b"x")));
    assert_eq!(server().receive(&input, 0.0).len(), 1, "no authority at all");
    let mut input = raw::headers(1, &raw::head("k", " \ta value\t "));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &raw::message(b"x")));
    let heard = server().receive(&input, 0.0);
    let [ServerEvent::Call { request, .. }] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(request.header("k").as_deref(), Some("a value"));
}

#[test]
fn one_who_speaks_no_grpc_is_told_so_in_words() {
    let head = [(":status", "405"), (":status", "415")];
    let cases = [(":method", "GET"), ("content-type", "text/plain")];
    let texts = ["this is gRPC: wanted POST\n", "this is gRPC: wanted content-type application/grpc\n"];
    for ((name, value), (text, _)) in cases.into_iter().zip(texts.into_iter().zip(head)) {
        let mut server = server();
        // A window of ten bytes: the text leaves in pieces.
        server.receive(&raw::frame(raw::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 10]), 0.0);
        server.receive(&raw::frame(raw::HEADERS, 5, 1, &raw::head(name, value)), 0.0);
        let mut said = Vec::new();
        for _ in 0..10 {
            let frames = raw::frames(server.take_output(ALL));
            said.extend(frames.into_iter().filter(|frame| frame.0 == raw::DATA));
            server.receive(&raw::frame(raw::WINDOW_UPDATE, 0, 1, &10u32.to_be_bytes()), 0.0);
        }
        let bytes: Vec<u8> = said.iter().flat_map(|frame| frame.3.clone()).collect();
        assert_eq!(String::from_utf8(bytes).expect("text"), text);
        assert_eq!(said.last().expect("some").1, raw::END_STREAM);
        assert!(!server.closed());
    }
}

#[test]
fn a_priority_of_no_stream_ends_the_connection() {
    assert_eq!(refused(&raw::frame(raw::PRIORITY, 0, 0, &[0; 5])), "PRIORITY of stream 0");
    let mut server = server();
    server.receive(&raw::frame(raw::PRIORITY, 0, 3, &[0; 5]), 0.0);
    assert!(!server.closed(), "of a stream it is read over");
}
