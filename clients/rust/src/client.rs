//! The client: one for the process, shared by all tasks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tokio::time::{Instant, sleep};

use crate::buffer;
use crate::core::{Call, Core};
use crate::draft::Draft;
use crate::errors::{Error, Invalid};
use crate::importing::Import;
use crate::many::DecideMany;
use crate::pb;
use crate::pb::{datafile_service, tracking_service};
use crate::replies;
use crate::settings::{ClientBuilder, Retry, Settings};
use crate::status::{Counters, DatafileStatus, Flushed};
use crate::transport::Transport;
use crate::user::{Identity, User};
use crate::watch::Watch;

/// Between two questions whether a sidecar that answers has its datafile; one that does not is tried as ever.
const READY_PAUSE: Duration = Duration::from_millis(50);
/// What a Flush's deadline leaves for the way there and back, so that the sidecar's answer comes before it.
const FLUSH_MARGIN: Duration = Duration::from_secs(1);

/// A client of the sidecar at `HOST:PORT` or `unix:PATH`, connected by its first call.
///
/// # Errors
///
/// The address is neither.
pub fn connect(address: &str) -> Result<Client, Invalid> {
    Client::builder(address).build()
}

/// A sidecar, as seen from any number of tasks. A clone is another handle of the same client.
///
/// Its connection belongs to the runtime of its first call. The last handle that goes ([`User`]s and [`Watch`]es are
/// handles too) closes it; [`close`](Self::close) does so before, and gives the buffer its time.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) core: Arc<Core>,
}

impl Client {
    /// A client with options: `Client::builder("unix:/run/sidecar.sock").token("…").build()?`.
    pub fn builder(address: &str) -> ClientBuilder {
        ClientBuilder { settings: Settings::new(address) }
    }

    pub(crate) fn over(transport: Arc<dyn Transport>, settings: Settings) -> Self {
        Self { core: Arc::new(Core::new(transport, settings)) }
    }

    /// A handle for one user.
    pub fn user(&self, user_id: impl Into<String>) -> User {
        let datafile = self.core.settings.datafile.clone();
        let request = pb::DecideRequest { user_id: user_id.into(), datafile, ..pb::DecideRequest::default() };
        User { client: self.clone(), identity: Arc::new(Identity { request, ..Identity::default() }) }
    }

    /// Decide the same flags, none = all, for up to 1,000 users at one revision, in their order.
    pub fn decide_many<K: Into<String>>(
        &self,
        users: impl IntoIterator<Item = User>,
        flag_keys: impl IntoIterator<Item = K>,
    ) -> DecideMany {
        let flag_keys = flag_keys.into_iter().map(Into::into).collect();
        DecideMany::new(self.clone(), users.into_iter().collect(), flag_keys)
    }

    /// Record history: any number of events, in batches that are each accepted or refused whole.
    ///
    /// It waits up to a minute for a sidecar that is away or full; the error after that says how far it came.
    pub fn import_events<I: IntoIterator<Item = Draft>>(&self, drafts: I) -> Import<I::IntoIter> {
        Import::new(Arc::clone(&self.core), drafts.into_iter())
    }

    /// Wait until a first decision will succeed, or, without any datafile, an event; false when the time runs out.
    ///
    /// # Errors
    ///
    /// What waiting does not mend, as a wrong token.
    pub async fn wait_ready(&self, timeout: Duration) -> Result<bool, Error> {
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
            match self.ask_status(left.min(self.core.settings.status_timeout)).await {
                Ok(status) if !status.revision.is_empty() || status.name.is_empty() => return Ok(true),
                Err(error) if !error.is_retryable() => return Err(error),
                _ => {}
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            sleep(READY_PAUSE.min(left)).await;
        }
    }

    /// Wait until everything accepted before is delivered, at most `timeout`, and say what is left.
    ///
    /// What this client has in its buffer goes first.
    ///
    /// # Errors
    ///
    /// No sidecar answered.
    pub async fn flush(&self, timeout: Duration) -> Result<Flushed, Error> {
        let (buffered, left) = buffer::drain(&self.core, timeout).await;
        let datafile = self.core.settings.datafile.clone();
        let request = pb::FlushRequest { timeout: prost_types::Duration::try_from(left).ok(), datafile };
        let call = call(tracking_service::FLUSH, &request, left + FLUSH_MARGIN);
        self.core.perform(&call).await.map(|reply| replies::flushed(reply, buffered))
    }

    /// The state of the datafile that decisions are made with.
    ///
    /// # Errors
    ///
    /// No sidecar answered.
    pub async fn status(&self) -> Result<DatafileStatus, Error> {
        self.ask_status(self.core.settings.status_timeout).await
    }

    /// The current revision, then each change of the datafile.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.core))
    }

    /// What this client has been through.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.core.counters()
    }

    /// End every call and watch, and the connection, for all handles. Idempotent.
    ///
    /// Events in the buffer are given as long as one event has; what is left is dropped, counted.
    pub async fn close(&self) {
        if !self.core.closed.is_cancelled() {
            buffer::drain(&self.core, self.core.settings.event_timeout).await;
        }
        self.core.close();
    }

    async fn ask_status(&self, timeout: Duration) -> Result<DatafileStatus, Error> {
        let request = pb::GetStatusRequest { datafile: self.core.settings.datafile.clone() };
        let call = call(datafile_service::GET_STATUS, &request, timeout);
        self.core.perform(&call).await.map(replies::status)
    }
}

fn call(method: &'static str, request: &impl Message, timeout: Duration) -> Call {
    let request = Bytes::from(request.encode_to_vec());
    Call { method, request, timeout, retry: Retry::EVENT, event_id: String::new() }
}
