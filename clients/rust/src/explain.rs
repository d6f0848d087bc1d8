//! The call that explains a decision. It has no default: it is for people, and an error is what they want to see.

use std::future::IntoFuture;
use std::time::Duration;

use bytes::Bytes;

use crate::core::Call;
use crate::decide::numbers;
use crate::decisions::DecideOption;
use crate::errors::Error;
use crate::explanation::Explanation;
use crate::pb;
use crate::pb::decision_service::EXPLAIN;
use crate::replies;
use crate::settings::Retry;
use crate::transport::BoxFuture;
use crate::user::User;

/// The walk of one decision. Awaited, it is a `Result<Explanation, Error>`.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Explain {
    user: User,
    flag_key: String,
    options: Vec<DecideOption>,
    timeout: Option<Duration>,
}

impl Explain {
    pub(crate) fn new(user: User, flag_key: String) -> Self {
        Self { user, flag_key, options: Vec::new(), timeout: None }
    }

    /// Add options to the sidecar's default options.
    pub fn options(mut self, options: impl IntoIterator<Item = DecideOption>) -> Self {
        self.options.extend(options);
        self
    }

    /// How long this call may take, instead of the client's `status_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    async fn answer(self) -> Result<Explanation, Error> {
        let core = &self.user.client.core;
        self.user.identity.check(EXPLAIN, "")?;
        let options = numbers(&self.options);
        // The fields of an ExplainRequest have the numbers of a DecideRequest.
        let rest = pb::ExplainRequest { flag_key: self.flag_key, options, ..pb::ExplainRequest::default() };
        let call = Call {
            method: EXPLAIN,
            request: Bytes::from(self.user.identity.request_with(&rest)),
            timeout: self.timeout.unwrap_or(core.settings.status_timeout),
            retry: Retry::EVENT,
            event_id: String::new(),
        };
        core.perform(&call).await.map(replies::explanation)
    }
}

impl IntoFuture for Explain {
    type Output = Result<Explanation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}
