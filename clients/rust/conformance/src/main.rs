//! The conformance program of the Rust client: steps as JSON lines in, canonical lines of what it answered out.
//!
//! The forms are fixed by clients/conformance/README.md; the client's public surface alone is used.

mod canonical;
mod explained;
mod program;
mod taken;

use std::io::{BufRead as _, Write as _};

use serde_json::Value as Json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut program = program::Program::new()?;
    for line in std::io::stdin().lock().lines() {
        let step: Json = serde_json::from_str(&line?)?;
        let answer = runtime.block_on(program.answer(&step))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", canonical::line(&answer))?;
        out.flush()?;
    }
    runtime.block_on(program.client.close());
    Ok(())
}
