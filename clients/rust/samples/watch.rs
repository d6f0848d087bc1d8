//! Each change of the datafile, told as it comes into force: `cargo run --example watch [ADDRESS] [COUNT]`.

use decision_sidecar_client::{DEFAULT_ADDRESS, connect};

/// Print the revision in force, then each change, over restarts of the sidecar, until interrupted.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let count = std::env::args().nth(2).map_or(Ok(usize::MAX), |text| text.parse())?;
    let client = connect(&address)?;

    let mut watch = client.watch();
    for _ in 0..count {
        let Some(change) = watch.next().await.transpose()? else { break };
        println!("revision {} from {}", change.revision, change.source);
    }
    Ok(())
}
