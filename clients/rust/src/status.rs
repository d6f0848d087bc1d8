//! The sidecar's own state as a caller sees it: its datafile, what it has still to deliver, and what the client saw.

use std::time::SystemTime;

/// What the sidecar decides with, and how fresh it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatafileStatus {
    /// Its configured name.
    pub name: String,
    /// The revision in force; empty before the first.
    pub revision: String,
    /// Where it comes from, in words.
    pub source: String,
    /// When the revision in force was applied; none before the first.
    pub loaded_time: Option<SystemTime>,
    /// When the source was last read; none before it was.
    pub checked_time: Option<SystemTime>,
    /// The last look at the source failed or is overdue; `last_error` then says why.
    pub stale: bool,
    /// It was loaded from the copy on disk, because the source was down at start.
    pub from_cache: bool,
    /// Why the last read failed; empty when it succeeded.
    pub last_error: String,
    /// What is wrong with the datafile in force.
    pub warnings: Vec<DatafileWarning>,
}

/// One thing wrong with a datafile in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatafileWarning {
    /// Where, as `featureFlags[3].variables[0].type`.
    pub path: String,
    /// What, and what was done about it.
    pub description: String,
    /// The flag that is disabled for it; empty when none is.
    pub disabled_flag_key: String,
}

/// A revision that came into force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatafileChange {
    /// The revision; empty, in the first change alone, while none is loaded.
    pub revision: String,
    /// When it was applied.
    pub loaded_time: Option<SystemTime>,
    /// Where it comes from, in words.
    pub source: String,
    /// How many warnings it has.
    pub warnings: u32,
    /// Changes missed because this reader was slow.
    pub lost: u64,
}

/// What `flush` left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// One for each destination, in configured order.
    pub remainders: Vec<Remainder>,
    /// Events that are still in this client's buffer.
    pub buffered: usize,
}

impl Flushed {
    /// Everything accepted before the flush is delivered, or a dead letter that says why.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.buffered == 0 && self.remainders.iter().all(|each| each.events == 0)
    }
}

/// What one destination has still to get.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remainder {
    /// The destination's configured name.
    pub destination: String,
    /// Events accepted before the flush and neither delivered nor dead.
    pub events: u64,
    /// Why it is paused, as `401 from …`; empty when it is not.
    pub pause_reason: String,
}

/// What a client has been through, for the metrics of the service that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Calls for decisions that were answered with the caller's default.
    pub decisions_defaulted: u64,
    /// Attempts after the first, of any call.
    pub retries: u64,
    /// Events in the buffer now; the only one that falls.
    pub events_buffered: u64,
    /// Events that the buffer gave up: past its bounds, refused when sent at last, or left when the client closed.
    pub events_dropped: u64,
}
