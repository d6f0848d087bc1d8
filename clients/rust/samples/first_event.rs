//! The first event: `cargo run --example first_event [ADDRESS]`, a sidecar listening there.

use decision_sidecar_client::{DEFAULT_ADDRESS, Money, connect};

/// Say who a user is, and record what it bought, for exactly so much money.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let client = connect(&address)?;

    let user = client.user("user-1").with_attribute("country", "DE");
    user.identify().add_trait("plan", "pro").await?;
    let accepted = user.track("purchase").revenue(Money::new("19.90", "USD")?).property("order_id", "7").await?;
    for outcome in accepted.outcomes {
        println!("{}", format!("{}: {} {}", outcome.destination, outcome.state, outcome.reason).trim_end());
    }
    Ok(())
}
