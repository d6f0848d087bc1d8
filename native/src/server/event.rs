//! What a server learns.

use super::head::Request;

/// What a server learns. Ids are of the connection and never used again.
#[derive(Debug)]
pub enum ServerEvent {
    /// A call with one request message, complete.
    Call {
        /// Names the call from now on.
        call_id: u64,
        /// Its place in `Methods`.
        method: u32,
        /// Decompressed.
        message: Vec<u8>,
        /// The head of the call.
        request: Request,
    },
    /// A call whose messages follow.
    Opened {
        /// Names the call from now on.
        call_id: u64,
        /// Its place in `Methods`.
        method: u32,
        /// The head of the call.
        request: Request,
    },
    /// A message of an opened call.
    Message {
        /// Of `Opened`.
        call_id: u64,
        /// Decompressed.
        message: Vec<u8>,
    },
    /// No more messages of an opened call.
    Ended {
        /// Of `Opened`.
        call_id: u64,
    },
    /// The caller gave up, or was cut off: nothing may be sent any more.
    Cancelled {
        /// Of `Call` or `Opened`.
        call_id: u64,
    },
    /// What is queued fell under the low mark.
    Writable {
        /// Of `Call` or `Opened`.
        call_id: u64,
    },
}
