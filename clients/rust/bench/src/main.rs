//! What a Decide costs its caller: 20,000 of them one after another, then with 64 in flight.
//!
//! Reads `SIDECAR_ADDRESS`, and `BENCH_CALLS` for another number than 20,000, and prints one line of JSON for each mode; CPU is this process's own, user and system.

use std::time::{Duration, Instant};

use decision_sidecar_client::{Client, Error};
use rustix::time::{ClockId, clock_gettime};

const IN_FLIGHT: u32 = 64;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("SIDECAR_ADDRESS")?;
    let client = Client::builder(&address).decide_timeout(Duration::from_secs(10)).build()?;
    if !client.wait_ready(Duration::from_secs(10)).await? {
        return Err(format!("no sidecar is ready at `{address}`").into());
    }
    let calls = std::env::var("BENCH_CALLS").map_or(Ok(20_000), |given| given.parse())?;
    measure(&client, "warm", calls, IN_FLIGHT).await?;
    println!("{}", measure(&client, "one after another", calls, 1).await?);
    println!("{}", measure(&client, "64 in flight", calls, IN_FLIGHT).await?);
    Ok(())
}

async fn measure(
    client: &Client,
    mode: &str,
    wanted: u32,
    in_flight: u32,
) -> Result<String, Box<dyn std::error::Error>> {
    let (started, before) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(ask(client.clone(), wanted / in_flight))).collect();
    for task in tasks {
        task.await??;
    }
    let calls = wanted / in_flight * in_flight;
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / f64::from(calls);
    let (took, used) = (each(started.elapsed()), each(cpu().saturating_sub(before)));
    let figures = format!(r#""us_per_call":{took:.2},"client_cpu_us_per_call":{used:.2}"#);
    Ok(format!(r#"{{"language":"rust","mode":"{mode}","calls":{calls},{figures}}}"#))
}

async fn ask(client: Client, calls: u32) -> Result<(), Error> {
    for _ in 0..calls {
        let user = client.user("user-1").with_attribute("country", "us").with_attribute("age", 42);
        user.decide("flag_0").strict().await?;
    }
    Ok(())
}

/// What this process has used so far: the sum that getrusage divides into user and system.
fn cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).unwrap_or_default()
}
