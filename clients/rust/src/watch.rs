//! The changes of the datafile, over as many streams as it takes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::{Code, Status};

use crate::core::Core;
use crate::errors::Error;
use crate::faults::{code_of, error_of};
use crate::pb;
use crate::pb::datafile_service::WATCH;
use crate::replies;
use crate::settings::Retry;
use crate::status::DatafileChange;
use crate::transport::Replies;

/// First the current revision, then each change, until the client is closed: a `Stream`, and `next` without one.
///
/// A restart of the sidecar is waited for, and the revision told last is not told again after it. An error that waiting
/// does not mend, as a wrong token, is the last item. Dropping it ends the call.
#[derive(Debug)]
pub struct Watch {
    changes: mpsc::Receiver<Result<DatafileChange, Error>>,
}

impl Watch {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        // One: a reader that is slow is told by the sidecar how many it missed.
        let (told, changes) = mpsc::channel(1);
        tokio::spawn(async move {
            let closed = core.closed.clone();
            let watching = Watching { core, told: told.clone(), last: None };
            // Either end: the reader's, or the client's.
            let unread = told.closed();
            let run = closed.run_until_cancelled(watching.run());
            tokio::pin!(unread, run);
            std::future::poll_fn(|context| {
                if unread.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                run.as_mut().poll(context).map(|_| ())
            })
            .await;
        });
        Self { changes }
    }

    /// The next change; none when the client is closed, or after an error.
    pub async fn next(&mut self) -> Option<Result<DatafileChange, Error>> {
        self.changes.recv().await
    }
}

impl Stream for Watch {
    type Item = Result<DatafileChange, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.changes.poll_recv(context)
    }
}

struct Watching {
    core: Arc<Core>,
    told: mpsc::Sender<Result<DatafileChange, Error>>,
    last: Option<(String, Option<SystemTime>)>,
}

impl Watching {
    async fn run(mut self) {
        let datafile = self.core.settings.datafile.clone();
        let request = Bytes::from(pb::WatchRequest { datafile }.encode_to_vec());
        let mut failures = 0;
        loop {
            let ended = match self.core.transport.stream(WATCH, request.clone()).await {
                Ok(replies) => self.read(replies, &mut failures).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = ended
                && code_of(&failure) != Code::Unavailable
            {
                let _unread = self.told.send(Err(error_of(&failure, WATCH, ""))).await;
                return;
            }
            failures += 1;
            sleep(Retry::STANDING.pause(failures, fastrand::f64())).await;
        }
    }

    /// Tell each change of one stream, but one that repeats the last, as a new stream may.
    async fn read(&mut self, mut replies: Replies, failures: &mut u32) -> Result<(), Status> {
        while let Some(reply) = std::future::poll_fn(|context| replies.as_mut().poll_next(context)).await {
            *failures = 0;
            let message = pb::WatchResponse::decode(reply?);
            let change = replies::change(message.map_err(|error| Status::internal(error.to_string()))?);
            let place = Some((change.revision.clone(), change.loaded_time));
            if place != self.last {
                self.last = place;
                let _unread = self.told.send(Ok(change)).await;
            }
        }
        Ok(())
    }
}
