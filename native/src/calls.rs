//! The calls of one connection, by id.
//!
//! **Ids.** A call's id is the id of its HTTP/2 stream. RFC 9113 section 5.1.1: "Stream identifiers cannot be reused";
//! they only grow, and a connection that runs out of them is given up. So an id names one call of its connection for
//! ever, and an answer that comes late for a call that is gone finds nothing, never another call.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Spreads ids over a table. Why not the standard hash: ids are looked up six times a call. A peer that chooses ids so
/// that they collide makes a look-up walk the calls that it has open, `streams_max` at most.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(*byte));
        }
    }

    fn write_i32(&mut self, id: i32) {
        self.write_u64(u64::from(id.cast_unsigned()));
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

/// Calls by the id of their stream.
pub(crate) type Calls<C> = HashMap<i32, C, BuildHasherDefault<IdHasher>>;

/// The stream that an id of the seam names; None for a number that no stream has.
pub(crate) fn stream_of(call_id: u64) -> Option<i32> {
    i32::try_from(call_id).ok().filter(|id| *id > 0)
}

/// The other way.
pub(crate) fn call_of(id: i32) -> u64 {
    u64::from(id.cast_unsigned())
}
