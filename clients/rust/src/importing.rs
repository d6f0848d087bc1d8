//! An import: drafts to batches, each accepted or refused whole, replies to one report.
//!
//! Why one Import after the other and no stream: a batch is written in one go or refused with its violations, has a
//! deadline and is tried again like any other call, and a sidecar next door leaves no round trip worth hiding.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tokio::time::sleep;

use crate::core::{Call, Core};
use crate::draft::Draft;
use crate::errors::{Error, Misfit};
use crate::events::{ImportError, Imported, Outcome, RefusedBatch};
use crate::pb;
use crate::pb::tracking_service::IMPORT;
use crate::replies;
use crate::settings::Retry;
use crate::transport::BoxFuture;

/// Events of one Import; the sidecar's own bound.
const BATCH_EVENTS_MAX: usize = 500;
/// Bytes of one Import of more than one event: far below the sidecar's bound, so that memory stays small.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What an event costs besides its own bytes: two tags and two lengths.
const EVENT_OVERHEAD_BYTES: usize = 12;
/// How long an import waits in all for a batch that is not accepted for now, as while the outbox is full.
const PATIENCE: Duration = Duration::from_secs(60);

/// Any number of events, in batches. Awaited, it is a `Result<Imported, ImportError>`.
#[derive(Debug)]
#[must_use = "nothing is imported until it is awaited"]
pub struct Import<I> {
    core: Arc<Core>,
    drafts: I,
    include_optimizely: bool,
    batch_events_max: usize,
}

impl<I> Import<I> {
    pub(crate) fn new(core: Arc<Core>, drafts: I) -> Self {
        Self { core, drafts, include_optimizely: false, batch_events_max: BATCH_EVENTS_MAX }
    }

    /// Send them to Optimizely too. Default: not, since old timestamps distort its results.
    pub fn include_optimizely(mut self, include: bool) -> Self {
        self.include_optimizely = include;
        self
    }

    /// Events of one batch, 1-500. Default: 500.
    pub fn batch_events_max(mut self, events: usize) -> Self {
        self.batch_events_max = events;
        self
    }
}

impl<I: Iterator<Item = Draft> + Send> Import<I> {
    /// Read no further than the batch that is being sent.
    async fn run(mut self) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let events_max = self.batch_events_max;
        if !(1..=BATCH_EVENTS_MAX).contains(&events_max) {
            let description = format!("is {events_max}, wanted 1 to {BATCH_EVENTS_MAX}");
            let misfit = Misfit { field: "batch_events_max".to_owned(), description };
            return Err(ImportError { error: Error::unsendable(misfit, IMPORT, ""), imported });
        }
        let (mut given, mut ahead) = (0, None);
        loop {
            let batch = next_batch(&mut self.drafts, &mut ahead, events_max);
            if batch.is_empty() {
                return Ok(imported);
            }
            let events = batch.len() as u64;
            match send(&self.core, self.include_optimizely, batch).await {
                Ok(reply) => accept(&mut imported, events, reply),
                Err(error @ Error::RequestRefused(_)) => {
                    imported.refused.push(RefusedBatch { first_index: given, events, error });
                }
                Err(error) => return Err(ImportError { error, imported }),
            }
            given += events;
        }
    }
}

/// One batch, until it is accepted or refused, or waiting has been long enough.
async fn send(
    core: &Core,
    include_optimizely: bool,
    events: Vec<pb::ImportEvent>,
) -> Result<pb::ImportResponse, Error> {
    let Core { settings, closed, .. } = core;
    let datafile = settings.datafile.clone();
    let request = pb::ImportRequest { events, include_optimizely, datafile };
    let call = Call {
        method: IMPORT,
        request: Bytes::from(request.encode_to_vec()),
        timeout: settings.import_timeout,
        retry: Retry::EVENT,
        event_id: String::new(),
    };
    let (mut failures, mut waited) = (0, Duration::ZERO);
    loop {
        let error = match core.perform(&call).await {
            Err(error) if error.is_retryable() && waited < PATIENCE => error,
            settled => return settled,
        };
        failures += 1;
        let pause = error.retry_after().unwrap_or_else(|| Retry::STANDING.pause(failures, fastrand::f64()));
        waited += pause;
        closed.run_until_cancelled(sleep(pause)).await;
    }
}

/// The next events in order, within both bounds; an event over the bytes has a batch of its own. What did not fit any
/// more is left `ahead`.
fn next_batch(
    drafts: &mut impl Iterator<Item = Draft>,
    ahead: &mut Option<Draft>,
    events_max: usize,
) -> Vec<pb::ImportEvent> {
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    while batch.len() < events_max {
        let Some(draft) = ahead.take().or_else(|| drafts.next()) else { break };
        batch_bytes += draft.event.encoded_len() + EVENT_OVERHEAD_BYTES;
        if !batch.is_empty() && batch_bytes > BATCH_BYTES_MAX {
            *ahead = Some(draft);
            break;
        }
        batch.push(draft.event);
    }
    batch
}

fn accept(imported: &mut Imported, events: u64, reply: pb::ImportResponse) {
    imported.accepted += events;
    imported.repeated += u64::try_from(reply.repeated_events).unwrap_or_default();
    for each in reply.outcomes {
        let outcome: Outcome = replies::outcome(each.outcome.unwrap_or_default());
        let count = replies::count(each.events);
        match imported.outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, total)) => *total += count,
            None => imported.outcomes.push((outcome, count)),
        }
    }
}

impl<I: Iterator<Item = Draft> + Send + 'static> IntoFuture for Import<I> {
    type Output = Result<Imported, ImportError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
