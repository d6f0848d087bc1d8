//! Many calls over one connection, with memory measured: `cargo run --release --example soak -- 10000000`.
//!
//! Exits with 1 when resident memory grew between the first tenth and the end by more than 1 MiB.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use decision_sidecar_native::{Budget, ClientConnection, Limits, Metadata, Methods, ServerConnection, ServerEvent};

const UNARY: &str = "/test.Echo/Unary";
const STREAM: &str = "/test.Echo/Stream";
const TOGETHER: u64 = 50;

/// Resident memory of this process. Source: proc(5), `statm`.
fn resident_kib() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4
}

struct Soak {
    client: ClientConnection,
    server: ServerConnection,
    done: u64,
    now_s: f64,
}

impl Soak {
    /// A turn: unary calls, one of them cancelled, one refused, and a stream of two messages.
    fn turn(&mut self) {
        self.now_s += 0.01;
        for call in 0..TOGETHER {
            let metadata = if call % 10 == 0 { vec![("k".to_owned(), "v".to_owned().into())] } else { Metadata::new() };
            self.client.call(UNARY, &[7; 200], metadata, Some(1.0));
        }
        let stream = self.client.open(STREAM, Metadata::new(), None);
        self.client.send(stream, b"1");
        let cancelled = self.client.call(UNARY, b"x", Metadata::new(), None);
        self.exchange();
        self.client.cancel(cancelled);
        self.client.send(stream, b"2");
        self.client.half_close(stream);
        while self.client.calls_open() > 0 {
            self.exchange();
        }
        self.exchange();
        self.done += TOGETHER + 2;
    }

    fn exchange(&mut self) {
        let events = self.server.receive(self.client.take_output(usize::MAX), self.now_s);
        for event in events {
            match event {
                ServerEvent::Call { message, .. } if message == b"x" => (),
                ServerEvent::Call { call_id, .. } if call_id % 31 == 0 => {
                    self.server.finish(call_id, 5, "no", b"detail", Metadata::new());
                }
                ServerEvent::Call { call_id, message, .. } => self.server.reply(call_id, &message),
                ServerEvent::Message { call_id, message } => {
                    self.server.send(call_id, &message);
                    self.server.consumed(call_id, message.len(), 1);
                }
                ServerEvent::Ended { call_id } => self.server.finish(call_id, 0, "", b"", Metadata::new()),
                ServerEvent::Opened { .. } | ServerEvent::Cancelled { .. } | ServerEvent::Writable { .. } => (),
            }
        }
        self.client.receive(self.server.take_output(usize::MAX), self.now_s);
        assert!(!self.server.closed(), "{}", self.server.failure());
        assert!(!self.client.closed(), "{}", self.client.failure());
    }
}

fn main() -> ExitCode {
    let calls: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let limits = Arc::new(Limits { keepalive_after_s: None, ..Limits::default() });
    let methods = [(UNARY.to_owned(), true, 4 << 20), (STREAM.to_owned(), false, 4 << 20)];
    let budget = Budget::new(64 << 20);
    let server = ServerConnection::new(&Methods::new(methods).expect("valid"), &limits, &budget, 0.0);
    let client = ClientConnection::new("http", "here:1", "soak/1", &limits, 0.0);
    let mut soak = Soak { client: client.expect("made"), server: server.expect("made"), done: 0, now_s: 0.0 };
    while soak.done < calls / 10 {
        soak.turn();
    }
    let early = resident_kib();
    while soak.done < calls {
        soak.turn();
    }
    let late = resident_kib();
    println!(
        "{} calls: {early} KiB after a tenth, {late} KiB at the end, {} bytes held",
        soak.done,
        budget.bytes_held()
    );
    if late > early + 1024 || budget.bytes_held() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
