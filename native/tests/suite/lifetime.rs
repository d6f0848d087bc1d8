//! Time: keepalive, idle, age, and the two steps of a GOAWAY.

use decision_sidecar_native::{Budget, ClientEvent, Code, Limits, Metadata, ServerEvent};

use crate::support::{self, ALL, Pair, UNARY, raw};

#[test]
fn pings_that_keep_their_distance_are_answered_for_ever() {
    let mut server = support::server(Limits::default(), &Budget::new(1));
    for step in 0..100 {
        server.receive(&raw::frame(raw::PING, 0, 0, b"12345678"), f64::from(step) * 9.5);
        assert_eq!(raw::frames(server.take_output(ALL)), [(raw::PING, 1, 0, b"12345678".to_vec())]);
    }
}

#[test]
fn pings_between_calls_are_forgiven() {
    // A client of grpc probes its window with a ping after every reply that it reads.
    let mut pair = Pair::new();
    for _ in 0..100 {
        assert_eq!(pair.unary(b"", |server, id, _| server.reply(id, b"")).code, 0);
        pair.server.receive(&raw::frame(raw::PING, 0, 0, b"12345678"), 0.0);
        assert!(!pair.server.closed());
    }
}

#[test]
fn three_pings_too_early_are_one_too_many() {
    let mut server = support::server(Limits::default(), &Budget::new(1));
    for (at_s, closed) in [(0.0, false), (1.0, false), (2.0, false), (3.0, true)] {
        server.receive(&raw::frame(raw::PING, 0, 0, b"12345678"), at_s);
        assert_eq!(server.closed(), closed, "{at_s}");
    }
}

fn timed() -> Limits {
    Limits { keepalive_after_s: Some(30.0), keepalive_timeout_s: 5.0, ..Limits::default() }
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let mut server = support::server(timed(), &Budget::new(1));
    assert_eq!(server.tick(0.0), Some(30.0));
    assert_eq!(server.tick(30.0), Some(35.0));
    assert_eq!(raw::frames(server.take_output(ALL))[0].0, raw::PING);
    assert_eq!(server.tick(34.9), Some(35.0));
    assert_eq!(server.tick(35.0), None);
    assert_eq!((server.closed(), server.failure()), (true, "a keepalive ping was not answered in time"));
}

#[test]
fn a_peer_that_answers_the_ping_lives_on() {
    let mut pair = Pair::with(timed(), 1);
    pair.server.tick(30.0);
    pair.now_s = 31.0;
    pair.server_speaks();
    pair.client_speaks();
    assert_eq!(pair.server.tick(35.0), Some(61.0));
}

#[test]
fn a_connection_without_a_preface_ends() {
    let limits = std::sync::Arc::new(Limits::default());
    let server = decision_sidecar_native::ServerConnection::new(&support::methods(), &limits, &Budget::new(1), 100.0);
    let mut server = server.expect("made");
    assert_eq!(server.tick(100.0), Some(120.0));
    server.tick(120.0);
    assert_eq!(server.failure(), "no preface came in time");
}

#[test]
fn an_idle_connection_ends_in_two_steps_and_a_call_keeps_it() {
    let limits = Limits { idle_max_s: Some(10.0), keepalive_after_s: None, ..Limits::default() };
    let mut pair = Pair::with(limits, 1 << 20);
    assert_eq!(pair.server.tick(0.0), Some(10.0));
    let id = pair.client.call(UNARY, b"", Metadata::new(), None);
    pair.now_s = 9.0;
    pair.client_speaks();
    assert_eq!(pair.server.tick(10.0), None, "a call is open");
    pair.server.reply(id, b"");
    pair.server_speaks();
    assert_eq!(pair.server.tick(10.0), Some(20.0));
    assert_eq!(pair.server.tick(20.0), Some(21.0));
    assert!(!pair.client.drained());
    pair.server_speaks();
    assert!(pair.client.drained());
    pair.server.tick(21.0);
    pair.server_speaks();
    assert_eq!((pair.server.closed(), pair.server.failure()), (true, ""));
    assert_eq!((pair.client.closed(), pair.client.failure()), (true, ""));
}

#[test]
fn a_call_on_its_way_when_the_first_goaway_left_is_taken() {
    let mut pair = Pair::new();
    pair.server.shut_down(false);
    let id = pair.client.call(UNARY, b"late", Metadata::new(), None);
    let events = pair.client_speaks();
    assert!(matches!(events.as_slice(), [ServerEvent::Call { .. }]), "{events:?}");
    pair.server.shut_down(true);
    pair.server_speaks();
    assert!(!pair.server.closed(), "the call is open");
    pair.server.reply(id, b"done");
    assert_eq!(pair.outcome(id).message.as_deref(), Some(b"done".as_slice()));
    assert!(pair.server.closed() && pair.client.closed());
}

#[test]
fn a_call_behind_the_last_goaway_is_known_to_be_unprocessed() {
    let mut pair = Pair::new();
    pair.server.shut_down(true);
    let goaway = pair.server.take_output(ALL).to_vec();
    let id = pair.client.call(UNARY, b"too late", Metadata::new(), None);
    assert!(pair.client_speaks().is_empty());
    let events = pair.client.receive(&goaway, 0.0);
    let [ClientEvent::Finished { call_id, outcome }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*call_id, outcome.code, outcome.unprocessed), (id, Code::Unavailable as u32, true));
    assert_eq!(pair.client.call(UNARY, b"", Metadata::new(), None), 0);
    assert!(pair.client.drained());
}

#[test]
fn an_old_connection_lets_its_calls_end_and_then_cuts_them() {
    let limits = Limits { age_max_s: Some(100.0), age_grace_s: 5.0, keepalive_after_s: None, ..Limits::default() };
    let mut pair = Pair::with(limits, 1 << 20);
    pair.client.call(UNARY, b"", Metadata::new(), None);
    pair.client_speaks();
    assert_eq!(pair.server.tick(99.0), Some(100.0));
    assert_eq!(pair.server.tick(100.0), Some(101.0));
    assert_eq!(pair.server.tick(101.0), Some(106.0));
    assert_eq!(pair.server.tick(106.0), None);
    let events = pair.server.take_events();
    assert!(matches!(events.as_slice(), [ServerEvent::Cancelled { .. }]), "{events:?}");
    assert_eq!(pair.server.failure(), "calls outlived the age of the connection");
}

#[test]
fn a_clients_calls_end_when_its_server_is_gone() {
    let mut pair = Pair::new();
    let id = pair.client.call(UNARY, b"", Metadata::new(), None);
    let events = pair.client.disconnected("connection reset by peer");
    let [ClientEvent::Finished { call_id, outcome }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*call_id, outcome.code), (id, Code::Unavailable as u32));
    assert_eq!((outcome.status_message.as_str(), outcome.unprocessed), ("connection reset by peer", false));
}

#[test]
fn a_client_that_pinged_too_often_learns_why_it_was_cut() {
    let mut pair = Pair::new();
    for _ in 0..5 {
        pair.server.receive(&raw::frame(raw::PING, 0, 0, b"12345678"), 0.0);
    }
    pair.server_speaks();
    assert!(pair.client.drained());
    assert_eq!(pair.client.failure(), "the peer ended the connection with code 11: too_many_pings");
}

#[test]
fn a_client_of_go_may_say_goodbye_with_an_id_of_its_own() {
    let mut server = support::server(Limits::default(), &Budget::new(1));
    server.receive(&raw::frame(raw::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]), 0.0);
    server.take_output(ALL);
    assert_eq!((server.closed(), server.failure()), (true, ""));
}
