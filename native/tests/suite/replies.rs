//! What `receive_reply` gives to who waits for one call alone, and what it leaves for `take_events`.

use crate::support::{ALL, Pair, UNARY};
use decision_sidecar_native::{ClientEvent, Metadata, ServerEvent};

/// A call that the server has; its id on both sides.
fn asked(pair: &mut Pair, timeout_s: Option<f64>) -> (u64, u64) {
    let id = pair.client.call(UNARY, b"ask", Metadata::new(), timeout_s);
    let event = pair.client_speaks().pop().expect("a call");
    let ServerEvent::Call { call_id, .. } = event else { panic!("{event:?}") };
    (id, call_id)
}

#[test]
fn a_reply_that_is_all_that_came_is_given_at_once() {
    let mut pair = Pair::new();
    let (id, call_id) = asked(&mut pair, None);
    pair.server.reply(call_id, b"answer");
    let output = pair.server.take_output(ALL).to_vec();
    assert_eq!(pair.client.receive_reply(&output, 0.0, id).as_deref(), Some(b"answer".as_slice()));
    assert!(pair.client.take_events().is_empty());
}

#[test]
fn a_reply_in_two_reads_is_an_event() {
    let mut pair = Pair::new();
    let (id, call_id) = asked(&mut pair, None);
    pair.server.reply(call_id, b"answer");
    let output = pair.server.take_output(ALL).to_vec();
    let (first, rest) = output.split_at(output.len() / 2);
    assert_eq!(pair.client.receive_reply(first, 0.0, id), None);
    assert!(pair.client.take_events().is_empty());
    assert_eq!(pair.client.receive_reply(rest, 0.0, id).as_deref(), Some(b"answer".as_slice()));
}

#[test]
fn a_call_that_fails_stays_an_event() {
    let mut pair = Pair::new();
    let (id, call_id) = asked(&mut pair, None);
    pair.server.finish(call_id, 5, "no such flag", b"", Metadata::new());
    let output = pair.server.take_output(ALL).to_vec();
    assert_eq!(pair.client.receive_reply(&output, 0.0, id), None);
    let events = pair.client.take_events();
    let [ClientEvent::Finished { call_id, outcome }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*call_id, outcome.code), (id, 5));
}

#[test]
fn with_another_call_under_way_a_reply_stays_an_event() {
    let mut pair = Pair::new();
    let (other, _) = asked(&mut pair, None);
    let (id, call_id) = asked(&mut pair, None);
    pair.server.reply(call_id, b"answer");
    let output = pair.server.take_output(ALL).to_vec();
    assert_eq!(pair.client.receive_reply(&output, 0.0, id), None);
    let events = pair.client.take_events();
    let [ClientEvent::Finished { call_id, outcome }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*call_id, outcome.message.as_deref()), (id, Some(b"answer".as_slice())));
    assert_ne!(other, id);
}

#[test]
fn a_reply_with_a_goodbye_stays_an_event() {
    let mut pair = Pair::new();
    let (id, call_id) = asked(&mut pair, None);
    pair.server.reply(call_id, b"answer");
    pair.server.shut_down(false);
    let output = pair.server.take_output(ALL).to_vec();
    assert_eq!(pair.client.receive_reply(&output, 0.0, id), None);
    assert!(pair.client.drained());
    assert_eq!(pair.client.take_events().len(), 1);
}

#[test]
fn a_timeout_that_recurs_is_said_in_one_byte_and_always_right() {
    let mut pair = Pair::new();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let id = pair.client.call(UNARY, b"ask", Metadata::new(), Some(0.25));
        let output = pair.client.take_output(ALL).to_vec();
        sizes.push(output.len());
        let events = pair.server.receive(&output, 0.0);
        let [ServerEvent::Call { call_id, request, .. }] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(request.timeout_s(), Some(0.25));
        pair.server.reply(*call_id, b"answer");
        pair.outcome(id);
    }
    assert!(sizes[2] + 10 < sizes[0], "{sizes:?}");
    for left_s in [0.125, 0.25, 1.0, 2.0, 3.0, 4.0, 0.25, 0.125] {
        let id = pair.client.call(UNARY, b"ask", Metadata::new(), Some(left_s));
        let events = pair.client_speaks();
        let [ServerEvent::Call { call_id, request, .. }] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(request.timeout_s(), Some(left_s));
        pair.server.reply(*call_id, b"answer");
        pair.outcome(id);
    }
}
