//! Two ends of a connection without a socket, and a peer that writes its frames by hand.
#![allow(unreachable_pub, reason = "a test has no other crates above it")]

use std::sync::Arc;

use decision_sidecar_native::{
    Budget, ClientConnection, ClientEvent, Limits, Metadata, Methods, Outcome, ServerConnection, ServerEvent, Value,
};

pub const UNARY: &str = "/test.Echo/Unary";
pub const STREAM: &str = "/test.Echo/Stream";
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;
pub const ALL: usize = usize::MAX;

pub fn methods() -> Methods {
    Methods::new([(UNARY.to_owned(), true, MESSAGE_BYTES_MAX), (STREAM.to_owned(), false, MESSAGE_BYTES_MAX)])
        .expect("valid")
}

/// A client and a server that reach each other by `pump`.
pub struct Pair {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub budget: Budget,
    pub now_s: f64,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(Limits::default(), 64 << 20)
    }

    pub fn with(limits: Limits, budget_bytes: usize) -> Self {
        let limits = Arc::new(limits);
        let budget = Budget::new(budget_bytes);
        let client = ClientConnection::new("http", "here:1", "tests/1", &Arc::new(Limits::default()), 0.0);
        let server = ServerConnection::new(&methods(), &limits, &budget, 0.0).expect("made");
        let mut pair = Self { client: client.expect("made"), server, budget, now_s: 0.0 };
        assert!(pair.pump().is_empty());
        pair
    }

    /// The client's bytes to the server; what the server learned.
    pub fn client_speaks(&mut self) -> Vec<ServerEvent> {
        let bytes = self.client.take_output(ALL).to_vec();
        self.server.receive(&bytes, self.now_s)
    }

    /// The server's bytes to the client; what the client learned.
    pub fn server_speaks(&mut self) -> Vec<ClientEvent> {
        let bytes = self.server.take_output(ALL).to_vec();
        self.client.receive(&bytes, self.now_s)
    }

    /// Both ways until both are silent.
    pub fn pump(&mut self) -> Vec<ServerEvent> {
        let mut heard = Vec::new();
        loop {
            heard.extend(self.client_speaks());
            let bytes = self.server.take_output(ALL).to_vec();
            if bytes.is_empty() {
                return heard;
            }
            let heard_too = self.client.receive(&bytes, self.now_s);
            let only_room = heard_too.iter().all(|event| matches!(event, ClientEvent::Writable { .. }));
            assert!(only_room, "the test looks at the client's events itself: {heard_too:?}");
        }
    }

    /// A unary call that the server answers as told.
    pub fn unary(&mut self, message: &[u8], answer: impl FnOnce(&mut ServerConnection, u64, &[u8])) -> Outcome {
        let id = self.client.call(UNARY, message, Metadata::new(), None);
        let event = self.client_speaks().pop().expect("a call");
        let ServerEvent::Call { call_id, message, .. } = event else { panic!("{event:?}") };
        answer(&mut self.server, call_id, &message);
        self.outcome(id)
    }

    /// Delivers both ways until the call has ended.
    pub fn outcome(&mut self, id: u64) -> Outcome {
        for _ in 0..1_000 {
            for event in self.server_speaks() {
                match event {
                    ClientEvent::Finished { call_id, outcome } if call_id == id => return *outcome,
                    _ => (),
                }
            }
            self.client_speaks();
        }
        panic!("call {id} did not end");
    }
}

pub fn text(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), Value::Text(value.to_owned()))
}

pub fn bytes(key: &str, value: &[u8]) -> (String, Value) {
    (key.to_owned(), Value::Bytes(value.to_vec()))
}

/// Frames by hand. RFC 9113 section 4.1.
pub mod raw {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
    pub const ACK: u8 = 1;
    pub const END_STREAM: u8 = 1;
    pub const END_HEADERS: u8 = 4;

    pub fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(id.to_be_bytes());
        frame.extend(payload);
        frame
    }

    pub fn preface() -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, b""));
        bytes
    }

    /// RFC 7541 section 5.1, a prefix of seven bits.
    fn length(bytes: &mut Vec<u8>, mut length: usize) {
        if length < 127 {
            bytes.push(u8::try_from(length).expect("small"));
            return;
        }
        bytes.push(127);
        length -= 127;
        while length >= 128 {
            bytes.push(u8::try_from(length % 128).expect("small") | 128);
            length /= 128;
        }
        bytes.push(u8::try_from(length).expect("small"));
    }

    /// Literal fields, never indexed, not compressed. RFC 7541 section 6.2.3.
    pub fn block<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in fields {
            bytes.push(0x10);
            length(&mut bytes, name.len());
            bytes.extend(name.as_bytes());
            length(&mut bytes, value.len());
            bytes.extend(value.as_bytes());
        }
        bytes
    }

    pub const HEAD: [(&str, &str); 6] = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", super::UNARY),
        (":authority", "here:1"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ];

    /// A good head but for one field: replaced, added, or, with an empty value, left out.
    pub fn head(name: &'static str, value: &'static str) -> Vec<u8> {
        let mut fields: Vec<(&str, &str)> = HEAD.into_iter().filter(|field| field.0 != name).collect();
        if !value.is_empty() {
            let place = if name.starts_with(':') { 0 } else { fields.len() };
            fields.insert(place, (name, value));
        }
        block(fields)
    }

    pub fn headers(id: u32, block: &[u8]) -> Vec<u8> {
        frame(HEADERS, END_HEADERS, id, block)
    }

    /// A length-prefixed message.
    pub fn message(bytes: &[u8]) -> Vec<u8> {
        let mut all = vec![0];
        all.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
        all.extend(bytes);
        all
    }

    /// Every frame of some output: kind, flags, stream, payload.
    pub fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let mut frames = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<9>() {
            let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            let (payload, rest) = rest.split_at(number(&head[..3]) as usize);
            frames.push((head[3], head[4], number(&head[5..]), payload.to_vec()));
            bytes = rest;
        }
        frames
    }
}

/// A server alone, and a peer by hand that has said its preface and taken the server's settings.
pub fn server(limits: Limits, budget: &Budget) -> ServerConnection {
    let mut server = ServerConnection::new(&methods(), &Arc::new(limits), budget, 0.0).expect("made");
    assert!(server.receive(&raw::preface(), 0.0).is_empty());
    server.take_output(ALL);
    assert!(server.receive(&raw::frame(raw::SETTINGS, raw::ACK, 0, b""), 0.0).is_empty());
    assert!(!server.closed(), "{}", server.failure());
    server
}

/// What the server answers to a head that was written by hand, as a client reads it.
pub fn answer_to(block: &[u8], rest: &[u8]) -> Outcome {
    let mut pair = Pair::new();
    let id = pair.client.open(UNARY, Metadata::new(), None);
    pair.client.take_output(ALL); // Lost: the head by hand takes its place.
    let mut input = raw::headers(u32::try_from(id).expect("small"), block);
    input.extend(rest);
    let heard = pair.server.receive(&input, 0.0);
    assert!(heard.is_empty(), "{heard:?}");
    let outcome = pair.outcome(id);
    assert!(!pair.server.closed(), "{}", pair.server.failure());
    assert_eq!(pair.budget.bytes_held(), 0);
    outcome
}
