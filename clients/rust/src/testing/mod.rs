//! A sidecar for unit tests of code that uses this client: fixed decisions, recorded events, no process.
//!
//! The client is the real one over a transport in memory, so that what a test passes is checked and encoded as in
//! production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.

mod recorded;
mod sidecar;

use std::sync::Arc;

pub use recorded::{RecordedDecision, RecordedEvent};
use tonic::Status;

use crate::client::Client;
use crate::decisions::Decision;
use crate::faults::code_by_word;
use crate::settings::{ClientBuilder, DEFAULT_ADDRESS};
use sidecar::Memory;

/// Answers every user alike, with the decisions it was made with; any other flag is `FLAG_NOT_FOUND`.
///
/// A clone is another handle of the same fake.
#[derive(Clone, Debug, Default)]
pub struct FakeSidecar {
    memory: Arc<Memory>,
}

impl FakeSidecar {
    /// A fake that answers these decisions, made by [`Decision::new`] and its `with_…`.
    #[must_use]
    pub fn new(decisions: impl IntoIterator<Item = Decision>) -> Self {
        let fake = Self::default();
        decisions.into_iter().for_each(|each| fake.decide_as(each));
        fake
    }

    /// A client of this fake with the default options.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_with(|options| options)
    }

    /// A client of this fake with these options; those of the connection have no effect.
    #[must_use]
    pub fn client_with(&self, options: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let settings = options(Client::builder(DEFAULT_ADDRESS)).settings;
        Client::over(Arc::clone(&self.memory) as _, settings)
    }

    /// From now on answer this decision for its flag.
    pub fn decide_as(&self, decision: Decision) {
        self.memory.decide_as(decision);
    }

    /// From now on fail every call as if no sidecar were there, until [`recover`](Self::recover).
    pub fn fail(&self) {
        self.memory.fail_with(Some(Status::unavailable("the fake was told to fail")));
    }

    /// From now on fail every call with a code of gRPC, as `RESOURCE_EXHAUSTED`, and the sidecar's reason, as
    /// `OUTBOX_FULL`; empty = none. A word that is no code is `UNKNOWN`.
    pub fn fail_with(&self, code: &str, message: &str, reason: &str) {
        self.memory.fail_with(Some(sidecar::refusal(code_by_word(code), message, reason)));
    }

    /// Answer again.
    pub fn recover(&self) {
        self.memory.fail_with(None);
    }

    /// The events accepted, in order; a repeated `event_id` is one event.
    #[must_use]
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.memory.events()
    }

    /// The decisions answered, in order.
    #[must_use]
    pub fn decided(&self) -> Vec<RecordedDecision> {
        self.memory.decided()
    }
}
