//! The first decision: `cargo run --example first_decision [ADDRESS]`, a sidecar listening there.

use decision_sidecar_client::{DEFAULT_ADDRESS, connect};

/// Decide the shop's checkout for one user.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let client = connect(&address)?;

    let user = client.user("user-1").with_attribute("app_version", "2.5.0").with_attribute("country", "DE");
    let decision = user.decide("checkout_redesign").await;
    let layout = decision.variables.string_or("layout", "classic")?;
    println!("{}: {}, layout {layout}, because {}", decision.flag_key, decision.variation_key, decision.reason);
    Ok(())
}
