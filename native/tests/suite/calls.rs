//! Calls that go well, and calls that are refused one by one.

use crate::support::{ALL, MESSAGE_BYTES_MAX, Pair, STREAM, UNARY, answer_to, bytes, raw, text};
use decision_sidecar_native::{ClientEvent, Code, Limits, Metadata, ServerEvent, Value};

#[test]
fn a_unary_call_is_one_event_and_its_reply_ends_it() {
    let mut pair = Pair::new();
    let outcome = pair.unary(b"ask", |server, id, message| {
        assert_eq!(message, b"ask");
        server.reply(id, b"answer");
    });
    assert_eq!((outcome.code, outcome.message.as_deref()), (0, Some(b"answer".as_slice())));
    assert_eq!((pair.server.calls_open(), pair.client.calls_open(), pair.budget.bytes_held()), (0, 0, 0));
}

#[test]
fn an_empty_message_is_a_message() {
    let outcome = Pair::new().unary(b"", |server, id, message| {
        assert!(message.is_empty());
        server.reply(id, b"");
    });
    assert_eq!(outcome.message.as_deref(), Some(b"".as_slice()));
}

#[test]
fn a_message_of_the_largest_size_arrives_whole_both_ways() {
    let largest = vec![7; MESSAGE_BYTES_MAX];
    let mut pair = Pair::new();
    let outcome = pair.unary(&largest, |server, id, message| {
        assert_eq!(message.len(), MESSAGE_BYTES_MAX);
        server.reply(id, message);
    });
    assert_eq!(outcome.message.expect("a reply").len(), MESSAGE_BYTES_MAX);
    assert_eq!(pair.budget.bytes_held(), 0);
}

#[test]
fn a_call_that_ends_before_a_message_is_one_block_of_trailers() {
    let mut pair = Pair::new();
    let id = pair.client.call(UNARY, b"ask", Metadata::new(), None);
    pair.client_speaks();
    pair.server.finish(id, 5, "no `flag` ü%", b"\x08\x05", vec![text("why", "so"), bytes("raw-bin", b"\0\xff")]);
    let output = pair.server.take_output(ALL).to_vec();
    let kinds: Vec<u8> = raw::frames(&output).iter().map(|frame| frame.0).filter(|kind| *kind < 2).collect();
    assert_eq!(kinds, [raw::HEADERS]);
    let events = pair.client.receive(&output, 0.0);
    let [ClientEvent::Finished { outcome, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((outcome.code, outcome.status_message.as_str()), (5, "no `flag` ü%"));
    assert_eq!(outcome.details, b"\x08\x05");
    assert_eq!(outcome.trailers(), [text("why", "so"), bytes("raw-bin", b"\0\xff")]);
}

#[test]
fn a_unary_reply_leaves_as_head_message_and_trailers_at_once() {
    let mut pair = Pair::new();
    let id = pair.client.call(UNARY, b"ask", Metadata::new(), None);
    pair.client_speaks();
    pair.server.reply(id, b"answer");
    let kinds: Vec<u8> = raw::frames(pair.server.take_output(ALL)).iter().map(|frame| frame.0).collect();
    assert_eq!(kinds, [raw::HEADERS, raw::DATA, raw::HEADERS]);
}

#[test]
fn both_sides_of_a_stream_speak_in_any_order() {
    let mut pair = Pair::new();
    let id = pair.client.open(STREAM, vec![text("from", "client")], Some(2.5));
    let events = pair.client_speaks();
    let [ServerEvent::Opened { call_id, method: 1, request }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*call_id, request.timeout_s(), request.header("from").as_deref()), (id, Some(2.5), Some("client")));
    pair.server.start(id, vec![text("from", "server")]);
    assert!(pair.server_speaks().is_empty());
    pair.client.send(id, b"1");
    pair.client.send(id, b"2");
    pair.client.half_close(id);
    let events = pair.client_speaks();
    let [
        ServerEvent::Message { message: one, .. },
        ServerEvent::Message { message: two, .. },
        ServerEvent::Ended { .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((one.as_slice(), two.as_slice()), (b"1".as_slice(), b"2".as_slice()));
    assert!(pair.server.send(id, b"3"));
    assert!(pair.server.send(id, b"4"));
    pair.server.finish(id, 0, "", b"", vec![text("last", "word")]);
    let events = pair.server_speaks();
    let [ClientEvent::Reply { message: three, .. }, ClientEvent::Reply { .. }, ClientEvent::Finished { outcome, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((three.as_slice(), outcome.code, outcome.trailers()), (b"3".as_slice(), 0, vec![text("last", "word")]));
}

#[test]
fn the_head_of_a_call_is_read_when_asked_for() {
    let mut pair = Pair::new();
    let sent = vec![text("tenant", "a"), bytes("trace-bin", b"\x01\x02"), text("tenant", "b")];
    pair.client.call(UNARY, b"", sent.clone(), Some(0.25));
    let events = pair.client_speaks();
    let [ServerEvent::Call { request, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((request.timeout_s(), request.authority().as_str()), (Some(0.25), "here:1"));
    assert_eq!(request.header("tenant").as_deref(), Some("b"));
    assert_eq!((request.header("te"), request.header("trace-bin"), request.header(":path")), (None, None, None));
    let mut all = request.metadata();
    assert_eq!(all.remove(0), text("user-agent", "tests/1"));
    assert_eq!(all, sent);
}

#[test]
fn binary_metadata_may_be_padded_joined_and_repeated() {
    let budget = decision_sidecar_native::Budget::new(1 << 20);
    let mut server = crate::support::server(Limits::default(), &budget);
    let mut fields = raw::HEAD.to_vec();
    fields.extend([("k-bin", "AQI=, AwQ"), ("k-bin", "BQ==")]);
    let mut input = raw::headers(1, &raw::block(fields));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &raw::message(b"")));
    let events = server.receive(&input, 0.0);
    let [ServerEvent::Call { request, .. }] = events.as_slice() else { panic!("{events:?}") };
    let values: Vec<Value> = request.metadata().into_iter().map(|pair| pair.1).collect();
    assert_eq!(values, [Value::Bytes(vec![1, 2]), Value::Bytes(vec![3, 4]), Value::Bytes(vec![5])]);
}

#[test]
fn a_head_that_is_no_call_is_answered_by_what_is_wrong_with_it() {
    let internal = Code::Internal as u32;
    let unimplemented = Code::Unimplemented as u32;
    let cases: [(&'static str, &'static str, u32, &str); 10] = [
        (":path", "/test.Echo/Nope", unimplemented, "method `/test.Echo/Nope` is not served here"),
        (":method", "GET", 2, "the answer is no gRPC: HTTP status 405"),
        ("content-type", "application/json", 2, "the answer is no gRPC: HTTP status 415"),
        ("content-type", "application/grpc-web", 2, "the answer is no gRPC: HTTP status 415"),
        ("content-type", "", 2, "the answer is no gRPC: HTTP status 415"),
        ("te", "", internal, "te is missing, wanted trailers: a proxy between may not pass trailers on"),
        (
            "grpc-timeout",
            "123456789S",
            internal,
            "grpc-timeout is `123456789S`, wanted at most 8 digits and one of H M S m u n",
        ),
        ("grpc-timeout", "5", internal, "grpc-timeout is `5`, wanted at most 8 digits and one of H M S m u n"),
        ("grpc-timeout", "-1S", internal, "grpc-timeout is `-1S`, wanted at most 8 digits and one of H M S m u n"),
        ("k-bin", "!", internal, "metadata refused: the value of `k-bin` is no base64"),
    ];
    for (name, value, code, text) in cases {
        let outcome = answer_to(&raw::head(name, value), &[]);
        assert_eq!((outcome.code, outcome.status_message.as_str()), (code, text), "{name}: {value}");
    }
}

#[test]
fn content_types_with_a_suffix_are_grpc() {
    for kind in ["application/grpc+proto", "application/grpc;charset=utf-8"] {
        let data = raw::frame(raw::DATA, raw::END_STREAM, 1, b"");
        let outcome = answer_to(&raw::head("content-type", kind), &data);
        assert_eq!(outcome.status_message, "call refused: 0 request messages came, wanted exactly 1");
    }
}

#[test]
fn a_single_call_has_exactly_one_message() {
    for messages in [0, 2, 3] {
        let body = raw::message(b"x").repeat(messages);
        let outcome = answer_to(&raw::head("k", "v"), &raw::frame(raw::DATA, raw::END_STREAM, 1, &body));
        assert_eq!(outcome.code, Code::Unimplemented as u32, "{}", outcome.status_message);
    }
}

#[test]
fn a_message_that_is_cut_off_is_an_internal_error() {
    let whole = raw::message(b"0123456789");
    for length in 1..whole.len() {
        let data = raw::frame(raw::DATA, raw::END_STREAM, 1, &whole[..length]);
        let outcome = answer_to(&raw::head("k", "v"), &data);
        assert_eq!(outcome.code, Code::Internal as u32);
        assert_eq!(outcome.status_message, "message refused: the stream ended within it");
    }
}

#[test]
fn a_message_that_is_too_long_is_refused_by_its_prefix() {
    let prefix = raw::message(&vec![0; MESSAGE_BYTES_MAX + 1])[..5].to_vec();
    let outcome = answer_to(&raw::head("k", "v"), &raw::frame(raw::DATA, 0, 1, &prefix));
    assert_eq!(outcome.code, Code::ResourceExhausted as u32);
    assert_eq!(outcome.status_message, "message refused: it has 1048577 bytes, wanted 1048576 at most");
}

#[test]
fn too_much_metadata_is_refused_and_the_connection_goes_on() {
    let mut pair = Pair::new();
    let id = pair.client.call(UNARY, b"", vec![text("k", &"v".repeat(40_000)), text("l", &"v".repeat(20_000))], None);
    assert_eq!(pair.client_speaks().len(), 1);
    pair.client.cancel(id);
    pair.client_speaks();
    // The library of the client sends no more than 64 KiB itself, hence by hand.
    let mut fields = raw::HEAD.to_vec();
    let value = "v".repeat(12_000);
    fields.extend([("a", value.as_str()); 6]);
    let block = raw::block(fields);
    let id = pair.client.open(UNARY, Metadata::new(), None);
    pair.client.take_output(ALL);
    let on_wire = u32::try_from(id).expect("small");
    let mut pieces = block.chunks(16_000);
    let mut input = raw::frame(raw::HEADERS, 0, on_wire, pieces.next().expect("one"));
    for piece in pieces {
        input.extend(raw::frame(raw::CONTINUATION, 0, on_wire, piece));
    }
    input.extend(raw::frame(raw::CONTINUATION, raw::END_HEADERS, on_wire, b""));
    assert!(pair.server.receive(&input, 0.0).is_empty());
    let outcome = pair.outcome(id);
    assert_eq!(outcome.code, Code::ResourceExhausted as u32);
    assert!(outcome.status_message.starts_with("metadata refused: it has "), "{}", outcome.status_message);
    assert!(!pair.server.closed());
}

#[test]
fn a_call_that_is_reset_in_the_same_read_is_never_heard_of() {
    let budget = decision_sidecar_native::Budget::new(1 << 20);
    let mut server = crate::support::server(Limits::default(), &budget);
    let mut input = raw::headers(1, &raw::head("k", "v"));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, 1, &raw::message(b"x")));
    input.extend(raw::frame(raw::RST_STREAM, 0, 1, &8u32.to_be_bytes()));
    input.extend(raw::headers(3, &raw::head(":path", STREAM)));
    input.extend(raw::frame(raw::DATA, 0, 3, &raw::message(b"x")));
    input.extend(raw::frame(raw::RST_STREAM, 0, 3, &8u32.to_be_bytes()));
    assert!(server.receive(&input, 0.0).is_empty());
    assert_eq!((server.calls_open(), budget.bytes_held()), (0, 0));
}

#[test]
fn a_call_that_is_cancelled_later_is_told_once_and_answers_to_it_vanish() {
    let mut pair = Pair::new();
    let id = pair.client.call(UNARY, b"x", Metadata::new(), None);
    pair.client_speaks();
    pair.client.cancel(id);
    let events = pair.client_speaks();
    assert!(matches!(events.as_slice(), [ServerEvent::Cancelled { call_id }] if *call_id == id), "{events:?}");
    pair.server.reply(id, b"late");
    pair.server.finish(id, 0, "", b"", Metadata::new());
    assert!(pair.server.send(id, b"late"));
    pair.server.consumed(id, 1, 1);
    assert!(pair.server.take_output(ALL).is_empty());
    assert_eq!(pair.budget.bytes_held(), 0);
}

#[test]
fn a_late_answer_never_reaches_another_call() {
    let mut pair = Pair::new();
    let gone = pair.client.call(UNARY, b"gone", Metadata::new(), None);
    pair.client_speaks();
    pair.client.cancel(gone);
    let here = pair.client.call(UNARY, b"here", Metadata::new(), None);
    pair.client_speaks();
    assert_ne!(gone, here);
    pair.server.reply(gone, b"for gone");
    pair.server.reply(here, b"for here");
    assert_eq!(pair.outcome(here).message.as_deref(), Some(b"for here".as_slice()));
}

#[test]
fn a_client_that_still_sends_is_told_to_stop_after_the_answer() {
    let mut pair = Pair::new();
    let id = pair.client.open(STREAM, Metadata::new(), None);
    pair.client_speaks();
    pair.server.finish(id, 9, "enough", b"", Metadata::new());
    let output = pair.server.take_output(ALL).to_vec();
    let last = raw::frames(&output).into_iter().last().expect("frames");
    assert_eq!((last.0, last.3), (raw::RST_STREAM, vec![0, 0, 0, 0]));
    let events = pair.client.receive(&output, 0.0);
    let [ClientEvent::Finished { outcome, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((outcome.code, outcome.status_message.as_str()), (9, "enough"));
}

#[test]
fn a_status_always_fits_into_what_the_peer_takes() {
    let outcome = Pair::new().unary(b"", |server, id, _| {
        server.finish(id, 3, &"%".repeat(9_000), &vec![1; 70_000], vec![text("k", "v")]);
    });
    assert_eq!((outcome.code, outcome.status_message.len()), (3, 1024));
    assert!(outcome.details.is_empty());
    assert_eq!(outcome.trailers(), [text("k", "v")]);
}

#[test]
fn a_client_refuses_a_second_reply() {
    let mut pair = Pair::new();
    let outcome = pair.unary(b"", |server, id, _| {
        server.send(id, b"1");
        server.send(id, b"2");
        server.finish(id, 0, "", b"", Metadata::new());
    });
    assert_eq!(outcome.code, Code::Unimplemented as u32);
    assert_eq!(outcome.status_message, "reply refused: 2 or more messages came, wanted exactly 1");
}
