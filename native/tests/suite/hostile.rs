//! Peers that are broken or mean harm: each is bounded, and none ends more than its own connection.

use decision_sidecar_native::{Budget, Limits, Metadata, ServerConnection, ServerEvent};

use crate::support::{self, ALL, Pair, STREAM, UNARY, raw};

fn server() -> ServerConnection {
    support::server(Limits::default(), &Budget::new(64 << 20))
}

/// The code of the GOAWAY that is on its way.
fn goaway_code(server: &mut ServerConnection) -> Option<u32> {
    let frames = raw::frames(server.take_output(ALL));
    let goaway = frames.iter().find(|frame| frame.0 == raw::GOAWAY)?;
    goaway.3.get(4..8).map(|code| u32::from_be_bytes(code.try_into().expect("four bytes")))
}

const ENHANCE_YOUR_CALM: Option<u32> = Some(11);

#[test]
fn a_rapid_reset_flood_ends_the_connection_and_reaches_nobody() {
    let mut server = server();
    let (mut id, mut heard, mut sent) = (1, 0, 0);
    while !server.closed() && sent < 100_000 {
        let mut input = Vec::new();
        for _ in 0..100 {
            input.extend(raw::headers(id, &raw::head("k", "v")));
            input.extend(raw::frame(raw::RST_STREAM, 0, id, &8u32.to_be_bytes()));
            id += 2;
            sent += 1;
        }
        heard += server.receive(&input, f64::from(sent) / 1e6).len();
    }
    assert_eq!((server.failure(), heard, sent), ("too many calls were reset", 0, 20_200));
    assert_eq!((goaway_code(&mut server), server.calls_open()), (ENHANCE_YOUR_CALM, 0));
}

#[test]
fn honest_clients_may_cancel_thousands_of_calls_a_second_for_ever() {
    let mut pair = Pair::new();
    for call in 0..30_000 {
        pair.now_s = f64::from(call) / 2_500.0;
        let id = pair.client.call(UNARY, b"x", Metadata::new(), None);
        assert_eq!(pair.client_speaks().len(), 1);
        pair.client.cancel(id);
        pair.pump();
        assert!(!pair.server.closed(), "{} after {call}", pair.server.failure());
    }
}

#[test]
fn a_peer_cannot_make_us_send_resets_in_place_of_its_own() {
    // CVE-2025-8671: the library ends the connection where others reset the stream.
    let mut too_long = raw::headers(1, &raw::head("content-length", "1"));
    too_long.extend(raw::frame(raw::DATA, 0, 1, &raw::message(b"more")));
    let mut overflow = raw::headers(1, &raw::head("k", "v"));
    overflow.extend(raw::frame(raw::WINDOW_UPDATE, 0, 1, &0x7fff_ffff_u32.to_be_bytes()));
    let malformed = raw::headers(1, &raw::head(":path", ""));
    for input in [too_long, overflow, malformed] {
        let mut server = server();
        assert!(server.receive(&input, 0.0).is_empty());
        assert!(goaway_code(&mut server).is_some());
        assert!(server.closed());
    }
}

#[test]
fn a_flood_of_calls_beyond_the_limit_that_never_acknowledges_it_ends() {
    let limits = std::sync::Arc::new(Limits::default());
    let mut server = ServerConnection::new(&support::methods(), &limits, &Budget::new(1), 0.0).expect("made");
    server.receive(&raw::preface(), 0.0);
    let mut id = 1;
    while !server.closed() && id < 100_000 {
        server.receive(&raw::headers(id, &raw::head("k", "v")), 0.0);
        server.take_output(ALL);
        assert!(server.calls_open() <= 1_000);
        id += 2;
    }
    assert!(server.closed());
}

#[test]
fn a_continuation_flood_ends_the_connection() {
    let mut server = server();
    let mut input = raw::frame(raw::HEADERS, 0, 1, b"");
    for _ in 0..1_000 {
        input.extend(raw::frame(raw::CONTINUATION, 0, 1, b""));
    }
    assert!(server.receive(&input, 0.0).is_empty());
    server.take_output(ALL);
    assert!(server.closed());
    assert!(server.failure().contains("CONTINUATION"), "{}", server.failure());
}

#[test]
fn a_settings_flood_ends_the_connection() {
    let mut server = server();
    let flood = raw::frame(raw::SETTINGS, 0, 0, b"").repeat(1_000);
    server.receive(&flood, 0.0);
    assert_eq!(server.failure(), "too many SETTINGS");
    assert_eq!(goaway_code(&mut server), ENHANCE_YOUR_CALM);
}

#[test]
fn settings_with_too_many_entries_end_the_connection() {
    let mut server = server();
    server.receive(&raw::frame(raw::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0].repeat(33)), 0.0);
    server.take_output(ALL);
    assert!(server.closed());
}

#[test]
fn a_ping_flood_ends_the_connection_as_clients_of_grpc_expect() {
    let mut server = server();
    server.receive(&raw::frame(raw::PING, 0, 0, b"12345678").repeat(100), 0.0);
    assert_eq!(server.failure(), "too_many_pings");
    let frames = raw::frames(server.take_output(ALL));
    let goaway = frames.iter().find(|frame| frame.0 == raw::GOAWAY).expect("told");
    assert_eq!((&goaway.3[4..8], &goaway.3[8..]), ([0, 0, 0, 11].as_slice(), b"too_many_pings".as_slice()));
}

#[test]
fn an_hpack_bomb_ends_the_connection() {
    let mut server = server();
    // One field of 4,000 bytes goes to the table; then each byte names it again: 5,000 × 4 kB from 5 kB.
    let mut bomb = raw::block(raw::HEAD);
    bomb.extend([0x40, 1, b'x', 127]);
    bomb.extend([0xa1, 30]); // 4,000, less the 127 before, in groups of seven bits.
    bomb.extend(vec![b'y'; 4_000]);
    bomb.extend(vec![0xbe; 5_000]);
    assert!(server.receive(&raw::headers(1, &bomb), 0.0).is_empty());
    assert_eq!(server.failure(), "a header list is many times too large");
    assert_eq!(goaway_code(&mut server), ENHANCE_YOUR_CALM);
}

#[test]
fn useless_frames_without_end_end_the_connection() {
    for useless in [raw::frame(raw::DATA, 0, 1, b""), raw::frame(2, 0, 3, &[0; 5]), raw::frame(99, 0, 0, b"x")] {
        let mut server = server();
        server.receive(&raw::headers(1, &raw::head("k", "v")), 0.0);
        server.receive(&useless.repeat(100_000), 0.0);
        server.take_output(ALL);
        assert!(server.closed());
    }
}

#[test]
fn acknowledgements_that_nobody_reads_are_bounded() {
    let limits = Limits { pings_too_early_max: u32::MAX, ..Limits::default() };
    let mut server = support::server(limits, &Budget::new(1 << 20));
    server.receive(&raw::frame(raw::PING, 0, 0, b"12345678").repeat(2_000), 0.0);
    assert!(server.closed(), "and nothing was taken meanwhile");
}

#[test]
fn a_wrong_preface_ends_the_connection() {
    let limits = std::sync::Arc::new(Limits::default());
    let mut server = ServerConnection::new(&support::methods(), &limits, &Budget::new(1), 0.0).expect("made");
    assert!(server.receive(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n", 0.0).is_empty());
    assert!(server.closed());
    assert_eq!(server.failure(), "Received bad client magic byte string");
}

#[test]
fn nothing_is_heard_of_a_connection_that_has_failed() {
    let mut pair = Pair::new();
    pair.client.call(UNARY, b"x", Metadata::new(), None);
    assert_eq!(pair.client_speaks().len(), 1);
    // A window that overflows is an error of the connection. RFC 9113 section 6.9.1.
    let events = pair.server.receive(&raw::frame(raw::WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()), 0.0);
    assert!(events.is_empty());
    pair.server.take_output(ALL);
    let events = pair.server.take_events();
    assert!(matches!(events.as_slice(), [ServerEvent::Cancelled { call_id: 1 }]), "{events:?}");
    assert!(pair.server.closed());
    pair.client.call(UNARY, b"x", Metadata::new(), None);
    assert!(pair.client_speaks().is_empty());
    assert!(pair.server.take_output(ALL).is_empty());
}

#[test]
fn a_peer_that_disconnects_cancels_its_calls_and_frees_what_they_hold() {
    let mut pair = Pair::new();
    let half = pair.client.open(STREAM, Metadata::new(), None);
    pair.client.send(half, b"x");
    pair.client.call(UNARY, b"y", Metadata::new(), None);
    assert_eq!(pair.client_speaks().len(), 3);
    pair.server.send(half, &[0; 10_000]);
    assert!(pair.budget.bytes_held() > 10_000);
    let events = pair.server.disconnected("connection reset by peer");
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| matches!(event, ServerEvent::Cancelled { .. })), "{events:?}");
    assert_eq!((pair.budget.bytes_held(), pair.server.failure()), (0, "connection reset by peer"));
    assert!(pair.server.disconnected("").is_empty());
}

#[test]
fn unfinished_uploads_are_bounded_by_the_budget_and_the_rest_goes_on() {
    const BUDGET: usize = 32 << 20;
    let budget = Budget::new(BUDGET);
    let mut connections: Vec<ServerConnection> = (0..9).map(|_| support::server(Limits::default(), &budget)).collect();
    let mut upload = raw::message(&vec![0; 1 << 20]);
    upload.truncate(1 << 19);
    for server in &mut connections {
        for id in (1..200).step_by(2) {
            server.receive(&raw::headers(id, &raw::head("k", "v")), 0.0);
            for piece in upload.chunks(16_384) {
                server.receive(&raw::frame(raw::DATA, 0, id, piece), 0.0);
            }
            server.take_output(ALL);
            assert!(budget.bytes_held() <= BUDGET);
            assert!(!server.closed(), "{} {id}", server.failure());
        }
    }
    assert!(budget.bytes_held() > BUDGET / 2, "so many are kept as fit");
    let mut small = raw::headers(201, &raw::head("k", "v"));
    small.extend(raw::frame(raw::DATA, raw::END_STREAM, 201, &raw::message(b"small")));
    assert_eq!(connections[8].receive(&small, 0.0).len(), 1, "a call that holds nothing needs no budget");
    drop(connections);
    assert_eq!(budget.bytes_held(), 0);
}
