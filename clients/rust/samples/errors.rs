//! What goes wrong, and how it reads: `cargo run --example errors [ADDRESS]`, a sidecar listening there.

use decision_sidecar_client::{DEFAULT_ADDRESS, Decision, Error, connect};

/// A refused event with its violations, and a decision without a sidecar.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let client = connect(&address)?;
    match client.user("").track("").await {
        Err(Error::RequestRefused(fault)) => {
            for violation in &fault.violations {
                println!("{}: {}", violation.field, violation.description);
            }
        }
        Err(error) => {
            let (retryable, event_id) = (error.is_retryable(), error.event_id());
            println!("{}, again later: {retryable}, as event {event_id}", error.reason());
        }
        Ok(accepted) => println!("accepted as {}", accepted.event_id),
    }

    // Nothing listens there: the caller's default is the answer, and says why.
    let nowhere = connect("127.0.0.1:9")?;
    let default = Decision::new("checkout_redesign").with_variation("control").with_variable("steps", 4);
    let decision = nowhere.user("user-1").decide("checkout_redesign").default(default).await;
    println!("{}, because {}: {}", decision.variation_key, decision.reason, decision.error_reason);
    Ok(())
}
