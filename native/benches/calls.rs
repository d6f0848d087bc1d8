//! What a call costs, in memory: `cargo bench`. Prints one line per shape of load, server and client apart.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decision_sidecar_native::{Budget, ClientConnection, Limits, Methods, ServerConnection, ServerEvent};

const PATH: &str = "/sidecar.v1.DecisionService/Decide";
const AGENT: &str = "grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)";

/// Unary calls with a deadline, `together` of them in each read.
fn unary(calls: usize, together: usize, request_bytes: usize, reply_bytes: usize) {
    let methods = Methods::new([(PATH.to_owned(), true, 4 << 20)]).expect("valid");
    let limits = Arc::new(Limits::default());
    let budget = Budget::new(64 << 20);
    let mut server = ServerConnection::new(&methods, &limits, &budget, 0.0).expect("made");
    let mut client = ClientConnection::new("http", "127.0.0.1:8013", AGENT, &limits, 0.0).expect("made");
    let (request, reply) = (vec![7; request_bytes], vec![9; reply_bytes]);
    let (mut serving, mut asking, mut done) = (Duration::ZERO, Duration::ZERO, 0);
    while done < calls {
        let start = Instant::now();
        for _ in 0..together {
            client.call(PATH, &request, Vec::new(), Some(1.0));
        }
        let input = client.take_output(usize::MAX).to_vec();
        asking += start.elapsed();

        let start = Instant::now();
        for event in server.receive(&input, 0.0) {
            let ServerEvent::Call { call_id, message, request, .. } = event else { panic!("{event:?}") };
            black_box((message, request.timeout_s()));
            server.reply(call_id, &reply);
        }
        let output = black_box(server.take_output(usize::MAX));
        serving += start.elapsed();

        let start = Instant::now();
        done += black_box(client.receive(output, 0.0)).len();
        asking += start.elapsed();
    }
    let each = |time: Duration| time.as_nanos() / done as u128;
    println!(
        "unary, {together} a read, {request_bytes} B in, {reply_bytes} B out: server {} ns a call, client {} ns",
        each(serving),
        each(asking)
    );
}

fn main() {
    unary(300_000, 1, 200, 300);
    unary(300_000, 40, 200, 300);
    unary(100_000, 40, 200, 8_000);
    unary(300, 1, 4 << 20, 300);
}
