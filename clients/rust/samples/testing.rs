//! A unit test of code that decides and tracks, without a sidecar: `cargo test --example testing`, or run it.

use std::time::Duration;

use decision_sidecar_client::testing::FakeSidecar;
use decision_sidecar_client::{Client, Decision, Money};

/// The code under test.
async fn checkout(client: &Client) -> Result<i64, Box<dyn std::error::Error>> {
    let user = client.user("user-1");
    let steps = user.decide("checkout_redesign").await.variables.integer_or("steps", 4)?;
    user.track("purchase").revenue(Money::new("19.90", "USD")?).await?;
    Ok(steps)
}

/// A fixed decision goes in, the event comes out.
#[cfg_attr(test, tokio::test)]
async fn express_checkout_has_one_step() {
    let fake = FakeSidecar::new([Decision::new("checkout_redesign").with_enabled(true).with_variable("steps", 1)]);
    assert_eq!(checkout(&fake.client()).await.unwrap(), 1);
    assert_eq!(fake.events()[0].name, "purchase");
}

/// Without a sidecar the default holds, and the event waits in the buffer.
#[cfg_attr(test, tokio::test)]
async fn checkout_survives_an_outage() {
    let fake = FakeSidecar::default();
    fake.fail();
    let client = fake.client_with(|options| options.buffer_events_max(10).event_timeout(Duration::from_millis(100)));
    assert_eq!(checkout(&client).await.unwrap(), 4);
    fake.recover();
    client.flush(Duration::from_secs(5)).await.unwrap();
    assert_eq!(fake.events().len(), 1);
}

#[cfg(not(test))]
#[tokio::main]
async fn main() {
    express_checkout_has_one_step().await;
    checkout_survives_an_outage().await;
    println!("both hold");
}
