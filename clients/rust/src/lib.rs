#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod buffer;
mod client;
mod core;
mod decide;
mod decisions;
mod draft;
mod encoding;
mod errors;
mod event_call;
mod events;
mod explain;
pub mod explanation;
mod faults;
mod grpc;
mod importing;
mod many;
mod pb;
mod replies;
mod settings;
mod stamps;
mod status;
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "opentelemetry")]
mod trace_context;
mod transport;
mod user;
mod value;
mod variables;
mod watch;
mod words;

pub use client::{Client, connect};
pub use decide::{Decide, DecideSeveral, Strict};
pub use decisions::{DecideOption, Decision, Decisions, Reason, RuleType};
pub use draft::Draft;
pub use errors::{Error, Fault, Invalid, VariableError, Violation};
pub use event_call::{Alias, EventCall, Group, HasCategory, HasProperties, HasTraits, Identify, Page, Screen, Track};
pub use events::{Accepted, ImportError, Imported, Money, Outcome, OutcomeState, RefusedBatch};
pub use explain::Explain;
pub use explanation::Explanation;
pub use importing::Import;
pub use many::DecideMany;
pub use settings::{ClientBuilder, DEFAULT_ADDRESS};
pub use status::{Counters, DatafileChange, DatafileStatus, DatafileWarning, Flushed, Remainder};
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use user::User;
pub use value::Value;
pub use variables::Variables;
pub use watch::Watch;
