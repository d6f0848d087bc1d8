//! Events that wait in memory for a sidecar: a bounded queue, and the task that sends them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::core::{Call, Core};
use crate::errors::Error;
use crate::events::Accepted;
use crate::pb;
use crate::replies;
use crate::settings::Retry;

/// Events in the order they were made. Past either bound the oldest is dropped: what a user did last matters most.
#[derive(Debug)]
pub(crate) struct Buffer {
    events_max: usize,
    bytes_max: usize,
    kept: Mutex<Kept>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    calls: VecDeque<Arc<Call>>,
    bytes: usize,
    /// A task sends them. It takes this back when it ends, however it ends.
    sending: bool,
    closed: bool,
}

impl Kept {
    fn pop(&mut self) {
        if let Some(call) = self.calls.pop_front() {
            self.bytes -= call.request.len();
        }
    }
}

impl Buffer {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events_max, bytes_max, kept: Mutex::default(), emptied: Notify::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().calls.len()
    }

    /// Give up what is left, and take no more; how many that were.
    pub(crate) fn close(&self) -> usize {
        let mut kept = self.lock();
        kept.closed = true;
        kept.bytes = 0;
        std::mem::take(&mut kept.calls).len()
    }

    /// The oldest event, which stays until it is removed. Without one the task that asks is none any more: said under
    /// the same lock, so that an event that comes now finds no task, and makes one.
    fn first_or_rest(&self) -> Option<Arc<Call>> {
        let mut kept = self.lock();
        let first = kept.calls.front().cloned();
        if first.is_none() {
            kept.sending = false;
            self.emptied.notify_waiters();
        }
        first
    }

    /// Keep an event. How many were dropped for it, and whether a task must be made to send; none when closed.
    fn add(&self, call: Call) -> Option<(usize, bool)> {
        let mut kept = self.lock();
        if kept.closed {
            return None;
        }
        kept.bytes += call.request.len();
        kept.calls.push_back(Arc::new(call));
        let mut dropped = 0;
        while !kept.calls.is_empty() && (kept.calls.len() > self.events_max || kept.bytes > self.bytes_max) {
            kept.pop();
            dropped += 1;
        }
        let starts = !kept.sending && !kept.calls.is_empty();
        kept.sending |= starts;
        Some((dropped, starts))
    }

    /// An event was accepted, or refused for good. Whether it was still here: it may have been dropped meanwhile.
    fn remove(&self, call: &Arc<Call>) -> bool {
        let mut kept = self.lock();
        let here = kept.calls.front().is_some_and(|first| Arc::ptr_eq(first, call));
        if here {
            kept.pop();
        }
        here
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event to a sidecar, or to the buffer while it takes none. Without a buffer every event is a plain call.
pub(crate) async fn record(core: &Arc<Core>, call: Call) -> Result<Accepted, Error> {
    let buffers = core.buffer.events_max > 0;
    if !buffers || core.buffer.len() == 0 {
        match core.perform::<pb::TrackResponse>(&call).await {
            Ok(reply) => return Ok(replies::accepted(reply)),
            Err(error) if !buffers || !error.is_retryable() => return Err(error),
            Err(_) => {}
        }
    }
    let (method, event_id) = (call.method, call.event_id.clone());
    let Some((dropped, starts)) = core.buffer.add(call) else {
        return Err(Error::closed(method, &event_id));
    };
    core.dropped(dropped, "buffer_full");
    if starts {
        tokio::spawn(Sending { core: Arc::downgrade(core), rests: false }.run());
    }
    Ok(Accepted { event_id, buffered: true, ..Accepted::default() })
}

/// Wait until the buffer is empty, at most so long; how many events are left, and how much time.
pub(crate) async fn drain(core: &Core, timeout: Duration) -> (usize, Duration) {
    let deadline = Instant::now() + timeout;
    loop {
        let emptied = core.buffer.emptied.notified();
        let left = core.buffer.len();
        if left == 0 || timeout_at(deadline, emptied).await.is_err() {
            return (core.buffer.len(), deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// The task that sends what is kept. It does not hold the client: when the last handle goes, so does the buffer.
struct Sending {
    core: Weak<Core>,
    rests: bool,
}

impl Sending {
    async fn run(mut self) {
        let mut failures = 0;
        while let Some(pause) = self.step(&mut failures).await {
            sleep(pause).await;
        }
    }

    /// Send the oldest. How long to wait before the next; none when there is nothing more to do.
    async fn step(&mut self, failures: &mut u32) -> Option<Duration> {
        let core = self.core.upgrade()?;
        let Some(call) = core.buffer.first_or_rest() else {
            self.rests = true;
            return None;
        };
        match core.perform::<pb::TrackResponse>(&call).await {
            Err(Error::ClientClosed(_)) => return None,
            Err(error) if error.is_retryable() => {
                *failures += 1;
                let pause = Retry::STANDING.pause(*failures, fastrand::f64());
                return Some(error.retry_after().unwrap_or(pause));
            }
            Err(error) => {
                if core.buffer.remove(&call) {
                    tracing::warn!(%error, event_id = call.event_id, "event_refused");
                    core.dropped(1, "refused");
                }
            }
            Ok(_) => {
                core.buffer.remove(&call);
            }
        }
        *failures = 0;
        Some(Duration::ZERO)
    }
}

impl Drop for Sending {
    /// The end of a runtime drops its tasks where they stand; a later event finds none, and makes one.
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade()
            && !self.rests
        {
            core.buffer.lock().sending = false;
        }
    }
}
