//! Ids and times: drawn here and nowhere else, before the first attempt of a call.

use std::time::SystemTime;

use uuid::Uuid;

/// The name of a decision or an event.
///
/// Why version 7: the sidecar remembers ids in order, so those that follow each other in time cost it less.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
