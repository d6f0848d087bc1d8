//! Heads that repeat, or nearly: whatever a connection heard before, it judges a head as a new connection would.

use decision_sidecar_native::{Budget, Limits, Request, ServerConnection, ServerEvent};
use proptest::prelude::*;

use crate::support::{self, ALL, STREAM, UNARY, raw};

type Field = (&'static str, &'static str);

fn server(header_list_bytes_max: usize) -> ServerConnection {
    let limits = Limits { header_list_bytes_max, ..Limits::default() };
    let mut server = support::server(limits, &Budget::new(1 << 20));
    server.take_output(ALL);
    server
}

/// What is seen of a call: its events, the frames that answer it, and whether the connection lives.
fn outcome(server: &mut ServerConnection, id: u32, head: &[Field]) -> String {
    let mut input = raw::headers(id, &raw::block(head.iter().copied()));
    input.extend(raw::frame(raw::DATA, raw::END_STREAM, id, &raw::message(b"x")));
    let told: Vec<_> = server.receive(&input, 0.0).iter().map(told).collect();
    server.reply(u64::from(id), b"");
    let answered: Vec<_> = raw::frames(server.take_output(ALL)).iter().map(|frame| (frame.0, frame.1)).collect();
    format!("{told:?} {answered:?} {} {}", server.closed(), server.failure())
}

fn told(event: &ServerEvent) -> String {
    let said = |request: &Request| format!("{:?}", (request.timeout_s(), request.authority(), request.metadata()));
    match event {
        ServerEvent::Call { call_id, method, message, request } => {
            format!("call {call_id} {method} {message:?} {}", said(request))
        }
        ServerEvent::Opened { call_id, method, request } => format!("opened {call_id} {method} {}", said(request)),
        _ => format!("{event:?}"),
    }
}

/// A good head, and what callers change in it, or break.
fn head() -> impl Strategy<Value = Vec<Field>> {
    let method = prop::sample::select(vec![UNARY, STREAM, "/none/such"]);
    let more: Vec<Field> = vec![
        ("grpc-timeout", "1S"),
        ("grpc-timeout", "12345678m"),
        ("grpc-timeout", "0n"),
        ("grpc-timeout", "soon"),
        ("authorization", "Bearer a"),
        ("authorization", "Bearer b"),
        ("trace-bin", "AAAA"),
        ("content-length", "6"),
        ("content-length", "7"),
        ("trace-bin", "!"),
        ("grpc-encoding", "gzip"),
        ("te", "gzip"),
        ("k", "\n"),
        (":path", "/late"),
        ("long", "0123456789012345678901234567890123456789"),
    ];
    let common = prop::sample::select(more[..8].to_vec());
    let any = prop_oneof![9 => common, 1 => prop::sample::select(more)];
    (method, prop::collection::vec(any, 0..4), prop::option::weighted(0.1, 0..8usize)).prop_map(
        |(path, more, left_out)| {
            let head = raw::HEAD.into_iter().map(|(name, value)| (name, if name == ":path" { path } else { value }));
            let mut head: Vec<Field> = head.chain(more).collect();
            if let Some(place) = left_out.filter(|place| *place < head.len()) {
                head.remove(place);
            }
            head
        },
    )
}

proptest! {
    #[test]
    fn a_head_is_judged_as_if_it_were_the_first(
        few in prop::collection::vec(head(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..24),
        header_list_bytes_max in prop::sample::select(vec![300usize, 340, 380, 420, 64 << 10]),
    ) {
        let mut one = server(header_list_bytes_max);
        let ids = (1u32..).step_by(2);
        for (id, place) in ids.zip(order) {
            let head = place.get(&few);
            let (got, wanted) = (outcome(&mut one, id, head), outcome(&mut server(header_list_bytes_max), id, head));
            prop_assert_eq!(got, wanted, "{:?}", head);
            if one.closed() {
                break;
            }
        }
    }
}

#[test]
fn a_head_is_as_large_as_it_is_whatever_timeout_the_ones_before_it_had() {
    let head = |timeout, tenant| -> Vec<Field> {
        raw::HEAD.into_iter().chain([("grpc-timeout", timeout), ("tenant", tenant)]).collect()
    };
    let allowed = head("1234567m", "a");
    let mut server = server(allowed.iter().map(|(name, value)| name.len() + value.len() + 32).sum());
    // The second begins as the first did, and the third is the second with a timeout that is too long by one digit.
    for (id, head, opens) in [(1, allowed, true), (3, head("1S", "b"), true), (5, head("12345678m", "b"), false)] {
        let seen = outcome(&mut server, id, &head);
        assert_eq!(seen.starts_with("[\"call "), opens, "{seen}");
    }
}

#[test]
fn calls_with_one_head_have_each_their_own_timeout_and_message() {
    let mut server = server(64 << 10);
    for (id, timeout, seconds) in [(1, "1S", 1.0), (3, "250m", 0.25), (5, "7S", 7.0)] {
        let head = raw::HEAD.into_iter().chain([("grpc-timeout", timeout), ("tenant", "a")]);
        let mut input = raw::headers(id, &raw::block(head));
        input.extend(raw::frame(raw::DATA, raw::END_STREAM, id, &raw::message(timeout.as_bytes())));
        let events = server.receive(&input, 0.0);
        let [ServerEvent::Call { call_id, message, request, .. }] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((*call_id, message.as_slice()), (u64::from(id), timeout.as_bytes()));
        assert_eq!((request.timeout_s(), request.header("tenant").as_deref()), (Some(seconds), Some("a")));
        assert_eq!(server.request(*call_id).and_then(Request::timeout_s), Some(seconds));
    }
    server.reply(3, b"");
    server.take_output(ALL);
    assert!(server.request(3).is_none(), "it has ended on the wire");
    assert!(server.request(1).is_some());
}
