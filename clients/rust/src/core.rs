//! What all handles of a client share, and the walk over the attempts of one call.
//!
//! A call is built whole, ids and time included, before its first attempt: a retry sends the same bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::buffer::Buffer;
use crate::errors::{Error, Fault};
use crate::faults::{code_of, error_of};
use crate::settings::{Retry, Settings};
use crate::status::Counters;
use crate::transport::Transport;

/// What is taken for a deadline that lies beyond what a clock can hold.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// A unary call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) request: Bytes,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) event_id: String,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) decisions_defaulted: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) events_dropped: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) buffer: Buffer,
    pub(crate) counts: Counts,
    /// Ends every call, watch and wait under way.
    pub(crate) closed: CancellationToken,
}

impl Core {
    pub(crate) fn new(transport: Arc<dyn Transport>, settings: Settings) -> Self {
        let buffer = Buffer::new(settings.buffer_events_max, settings.buffer_bytes_max);
        Self { settings, transport, buffer, counts: Counts::default(), closed: CancellationToken::new() }
    }

    /// The reply to one call, decoded, over as many attempts as it may have.
    pub(crate) async fn perform<M: Message + Default>(&self, call: &Call) -> Result<M, Error> {
        let closed = || Error::closed(call.method, &call.event_id);
        let reply = self.closed.run_until_cancelled(self.attempts(call)).await.ok_or_else(closed)??;
        M::decode(reply).map_err(|error| {
            let mut fault = Fault::new("INTERNAL", &error.to_string(), call.method, &call.event_id);
            "MALFORMED_REPLY".clone_into(&mut fault.reason);
            Error::SidecarFault(Box::new(fault))
        })
    }

    async fn attempts(&self, call: &Call) -> Result<Bytes, Error> {
        let deadline = Instant::now() + call.timeout.min(TIMEOUT_MAX);
        let mut attempts = 1;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.transport.unary(call.method, call.request.clone(), left).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let Some(pause) = pause_before_next(call, attempts, &failure, deadline) else {
                return Err(error_of(&failure, call.method, &call.event_id));
            };
            attempts += 1;
            self.counts.retries.fetch_add(1, Ordering::Relaxed);
            sleep(pause).await;
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            decisions_defaulted: self.counts.decisions_defaulted.load(Ordering::Relaxed),
            retries: self.counts.retries.load(Ordering::Relaxed),
            events_buffered: self.buffer.len() as u64,
            events_dropped: self.counts.events_dropped.load(Ordering::Relaxed),
        }
    }

    /// Count events that are given up, and say so once.
    pub(crate) fn dropped(&self, events: usize, why: &'static str) {
        if events > 0 {
            self.counts.events_dropped.fetch_add(events as u64, Ordering::Relaxed);
            tracing::warn!(events, why, "events_dropped");
        }
    }

    pub(crate) fn close(&self) {
        let left = self.buffer.close();
        self.dropped(left, "client_closed");
        self.closed.cancel();
        self.transport.close();
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.close();
    }
}

/// How long to wait before the next attempt; none when this was the last.
///
/// Only `UNAVAILABLE` is tried again, and only when the pause ends before the deadline.
fn pause_before_next(call: &Call, attempts: u32, failure: &Status, deadline: Instant) -> Option<Duration> {
    if code_of(failure) != Code::Unavailable || attempts >= call.retry.attempts_max {
        return None;
    }
    let pause = call.retry.pause(attempts, fastrand::f64());
    (Instant::now() + pause < deadline).then_some(pause)
}
