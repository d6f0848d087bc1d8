//! Mutated input: neither role panics, loses count of its memory, or goes on after it has closed.
//!
//! Seeds are conversations of the codec's own two roles, and, in `tests/seeds`, what real clients said. Runs
//! `FUZZ_INPUTS` inputs (5,000 by default) from `FUZZ_SEED`, and goes on until `FUZZ_SECONDS` have passed, if that is set;
//! a failure prints seed and number for the one input.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decision_sidecar_native::{
    Budget, ClientConnection, Limits, Metadata, Methods, ServerConnection, ServerEvent, Value,
};

const UNARY: &str = "/test.Echo/Unary";
const STREAM: &str = "/test.Echo/Stream";
const BUDGET_BYTES: usize = 1 << 20;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32).expect("32 bits") % bound.max(1)
    }
}

fn limits() -> Arc<Limits> {
    Arc::new(Limits { header_list_bytes_max: 8_192, message_bytes_max: 100_000, ..Limits::default() })
}

fn server(budget: &Budget) -> ServerConnection {
    let methods = [(UNARY.to_owned(), true, 100_000), (STREAM.to_owned(), false, 100_000)];
    ServerConnection::new(&Methods::new(methods).expect("valid"), &limits(), budget, 0.0).expect("made")
}

fn client() -> ClientConnection {
    ClientConnection::new("http", "here:1", "fuzz/1", &limits(), 0.0).expect("made")
}

/// Answers what it hears, in one of several ways.
fn answer(server: &mut ServerConnection, events: Vec<ServerEvent>, random: &mut Random) {
    for event in events {
        match event {
            ServerEvent::Call { call_id, message, request, .. } => {
                let _ = (request.metadata(), request.authority(), request.timeout_s());
                match random.below(3) {
                    0 => server.reply(call_id, &message),
                    1 => server.finish(call_id, 13, "no", &message, request.metadata()),
                    _ => (),
                }
            }
            ServerEvent::Opened { call_id, request, .. } => server.start(call_id, request.metadata()),
            ServerEvent::Message { call_id, message } => {
                server.send(call_id, &message);
                if random.below(4) > 0 {
                    server.consumed(call_id, message.len(), 1);
                }
            }
            ServerEvent::Ended { call_id } => server.finish(call_id, 0, "", b"", Metadata::new()),
            ServerEvent::Cancelled { .. } | ServerEvent::Writable { .. } => (),
        }
    }
}

/// What a client says, and what it hears.
fn conversation(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let (mut client, mut server) = (client(), server(&Budget::new(BUDGET_BYTES)));
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    let mut streams = Vec::new();
    for _ in 0..6 {
        let metadata = vec![("k-bin".to_owned(), Value::Bytes(vec![0; random.below(40)]))];
        match random.below(5) {
            0 => streams.push(client.open(STREAM, metadata, None)),
            1 => client.cancel(u64::try_from(random.below(9)).expect("small")),
            _ => drop(client.call(UNARY, &vec![1; random.below(3_000)], metadata, Some(1.0))),
        }
        for id in &streams {
            client.send(*id, &vec![2; random.below(500)]);
            if random.below(3) == 0 {
                client.half_close(*id);
            }
        }
        let output = client.take_output(usize::MAX).to_vec();
        said.extend(&output);
        let events = server.receive(&output, 0.0);
        answer(&mut server, events, random);
        let output = server.take_output(usize::MAX).to_vec();
        heard.extend(&output);
        client.receive(&output, 0.0);
    }
    (said, heard)
}

/// Where frames begin, as far as the lengths in them can be believed.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut at = if bytes.starts_with(b"PRI") { 24 } else { 0 };
    let mut starts = Vec::new();
    while let Some([a, b, c]) = bytes.get(at..at + 3) {
        starts.push(at);
        at += 9 + u32::from_be_bytes([0, *a, *b, *c]) as usize;
    }
    starts
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let starts = frames(bytes);
        let frame = starts.get(random.below(starts.len())).copied().unwrap_or(0);
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = u8::try_from(random.below(256)).expect("a byte"),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(40)))),
            4 => {
                let piece = bytes[at..bytes.len().min(at + 1 + random.below(200))].to_vec();
                let place = random.below(bytes.len());
                bytes.splice(place..place, piece);
            }
            // A frame again, in another place: the mutations that reach deepest keep frames whole.
            5 => {
                let end = starts.iter().find(|start| **start > frame).copied().unwrap_or(bytes.len());
                let piece = bytes[frame..end.min(bytes.len())].to_vec();
                let place = starts.get(random.below(starts.len())).copied().unwrap_or(0);
                bytes.splice(place..place, piece.repeat(1 + random.below(3)));
            }
            6 if frame + 9 <= bytes.len() => {
                bytes[frame + 3 + random.below(2)] = u8::try_from(random.below(12)).expect("small");
            }
            7 if frame + 9 <= bytes.len() => bytes[frame + 8] = u8::try_from(random.below(16)).expect("small"),
            _ => (),
        }
    }
}

fn feed_server(input: &[u8], random: &mut Random) {
    let budget = Budget::new(BUDGET_BYTES);
    let mut server = server(&budget);
    let mut rest = input;
    let mut now_s = 0.0;
    while !rest.is_empty() {
        let (read, after) = rest.split_at(1 + random.below(rest.len()));
        rest = after;
        now_s += 0.001;
        let events = server.receive(read, now_s);
        assert!(!server.closed() || server.calls_open() == 0 || server.failure().is_empty());
        answer(&mut server, events, random);
        server.take_output(1 + random.below(100_000));
        let events = server.take_events();
        answer(&mut server, events, random);
        assert!(budget.bytes_held() <= BUDGET_BYTES);
    }
    assert!(!server.failure().starts_with("internal fault"), "{}", server.failure());
    server.tick(1e6);
    server.take_output(usize::MAX);
    server.disconnected("");
    assert_eq!((server.calls_open(), budget.bytes_held()), (0, 0));
}

fn feed_client(input: &[u8], random: &mut Random) {
    let mut client = client();
    let stream = client.open(STREAM, Metadata::new(), None);
    let ids =
        [client.call(UNARY, b"x", Metadata::new(), None), client.call(UNARY, b"y", Metadata::new(), None), stream];
    client.send(stream, b"z");
    client.take_output(usize::MAX);
    let (mut rest, mut finished) = (input, 0);
    while !rest.is_empty() {
        let (read, after) = rest.split_at(1 + random.below(rest.len()));
        rest = after;
        finished += client.receive(read, 0.0).iter().filter(|event| format!("{event:?}").starts_with("Fin")).count();
        client.take_output(usize::MAX);
    }
    assert!(!client.failure().starts_with("internal fault"), "{}", client.failure());
    finished += client.take_events().len() + client.disconnected("").len();
    assert_eq!((client.calls_open(), finished >= ids.len()), (0, true));
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    entries.iter().filter_map(|entry| fs::read(entry.path()).ok()).collect()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn no_input_makes_either_role_panic_or_lose_count() {
    let recorded = seeds();
    assert!(recorded.len() >= 3, "tests/seeds holds what real clients said");
    let first = number("FUZZ_SEED", 1);
    let (until, inputs) = (Duration::from_secs(number("FUZZ_SECONDS", 0)), number("FUZZ_INPUTS", 5_000));
    let began = Instant::now();
    for seed in (first..).take_while(|seed| seed - first < inputs || began.elapsed() < until) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (said, heard) = conversation(&mut random);
        let (mut input, to_server) = match random.below(4) {
            0 => (heard, false),
            1 => (recorded[random.below(recorded.len())].clone(), true),
            _ => (said, true),
        };
        mutate(&mut input, &mut random);
        let feed = if to_server { feed_server } else { feed_client };
        let result = catch_unwind(AssertUnwindSafe(|| feed(&input, &mut random)));
        assert!(result.is_ok(), "again with FUZZ_SEED={seed} FUZZ_INPUTS=1");
    }
}
