//! Calls for decisions, and the default that stands in for an answer.

use std::future::IntoFuture;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::core::Call;
use crate::decisions::{DecideOption, Decision, Decisions, Reason};
use crate::errors::Error;
use crate::pb;
use crate::pb::decision_service::DECIDE;
use crate::replies;
use crate::settings::Retry;
use crate::stamps;
use crate::transport::BoxFuture;
use crate::user::User;

/// A call whose error is told, instead of answered with a default: `user.decide("flag").strict().await?`.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Strict<C>(pub(crate) C);

/// What every call for decisions takes besides users and flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) options: Vec<DecideOption>,
    pub(crate) decision_id: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

/// What is answered when no sidecar is: of each flag its default, else a flag that is off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults(pub(crate) Vec<Decision>);

impl Defaults {
    fn of(&self, flag_key: &str) -> Decision {
        let given = self.0.iter().rev().find(|each| each.flag_key == flag_key).cloned();
        given.unwrap_or_else(|| Decision::new(flag_key))
    }

    /// The defaults of these flags; of all flags, those given alone.
    pub(crate) fn answer(&self, flag_keys: &[String], error: &Error) -> Decisions {
        let mut decisions: Vec<Decision> = Vec::new();
        let given: Vec<String> = self.0.iter().map(|each| each.flag_key.clone()).collect();
        for key in if flag_keys.is_empty() { &given } else { flag_keys } {
            if decisions.iter().all(|each| each.flag_key != *key) {
                decisions.push(defaulted(self.of(key), error));
            }
        }
        Decisions { decisions, error_reason: error.reason().to_owned(), ..Decisions::default() }
    }
}

fn defaulted(given: Decision, error: &Error) -> Decision {
    Decision {
        reason: Reason::SidecarUnavailable,
        reasons: vec![error.to_string()],
        error_reason: error.reason().to_owned(),
        ..given
    }
}

pub(crate) fn numbers(options: &[DecideOption]) -> Vec<i32> {
    options.iter().map(|each| *each as i32).collect()
}

/// Count a default, once a call.
pub(crate) fn count_default(user_or_client: &crate::client::Client, error: &Error) {
    let core = &user_or_client.core;
    core.counts.decisions_defaulted.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(method = error.fault().method, reason = error.reason(), "decision_defaulted");
}

async fn ask(user: &User, flag_keys: Vec<String>, asked: Asked) -> Result<Decisions, Error> {
    let core = &user.client.core;
    user.identity.check(DECIDE, "")?;
    let rest = pb::DecideRequest {
        flag_keys,
        options: numbers(&asked.options),
        decision_id: asked.decision_id.unwrap_or_else(stamps::new_id),
        ..pb::DecideRequest::default()
    };
    let call = Call {
        method: DECIDE,
        request: Bytes::from(user.identity.request_with(&rest)),
        timeout: asked.timeout.unwrap_or(core.settings.decide_timeout),
        retry: Retry::DECIDE,
        event_id: String::new(),
    };
    core.perform(&call).await.map(replies::decisions)
}

/// The options that every call for the decisions of one user takes.
macro_rules! decide_options {
    () => {
        /// Add an option to the sidecar's default options.
        pub fn option(mut self, option: DecideOption) -> Self {
            self.asked.options.push(option);
            self
        }

        /// Add options to the sidecar's default options.
        pub fn options(mut self, options: impl IntoIterator<Item = DecideOption>) -> Self {
            self.asked.options.extend(options);
            self
        }

        /// Name this decision, 1-100 characters; a UUID by default. The same id makes the same impressions, once.
        pub fn decision_id(mut self, decision_id: impl Into<String>) -> Self {
            self.asked.decision_id = Some(decision_id.into());
            self
        }

        /// How long this call may take, instead of the client's `decide_timeout`.
        pub fn timeout(mut self, timeout: Duration) -> Self {
            self.asked.timeout = Some(timeout);
            self
        }

        /// Tell the error instead of answering a default.
        pub fn strict(self) -> Strict<Self> {
            Strict(self)
        }
    };
}

/// The decision of one flag. Awaited, it is a [`Decision`]: without an answer the default, with the error in it.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Decide {
    user: User,
    flag_key: String,
    default: Option<Decision>,
    asked: Asked,
}

impl Decide {
    pub(crate) fn new(user: User, flag_key: String) -> Self {
        Self { user, flag_key, default: None, asked: Asked::default() }
    }

    /// Answer this without a sidecar, instead of a flag that is off. Its flag is the one asked for.
    pub fn default(mut self, default: Decision) -> Self {
        self.default = Some(default);
        self
    }

    decide_options!();

    async fn answer(self) -> Decision {
        let (client, flag_key, default) = (self.user.client.clone(), self.flag_key.clone(), self.default.clone());
        match self.try_answer().await {
            Ok(decision) => decision,
            Err(error) => {
                count_default(&client, &error);
                let mut given = default.unwrap_or_else(|| Decision::new(""));
                given.variables.flag_key.clone_from(&flag_key);
                defaulted(Decision { flag_key, ..given }, &error)
            }
        }
    }

    async fn try_answer(self) -> Result<Decision, Error> {
        let answered = ask(&self.user, vec![self.flag_key.clone()], self.asked).await?;
        let filtered = Decision {
            reasons: vec!["left out: ENABLED_FLAGS_ONLY answers flags that are enabled alone".to_owned()],
            revision: answered.revision,
            decision_id: answered.decision_id,
            ..Decision::new(self.flag_key)
        };
        Ok(answered.decisions.into_iter().next().unwrap_or(filtered))
    }
}

/// The decisions of several flags, or of all. Awaited, they are [`Decisions`]: without an answer the defaults.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct DecideSeveral {
    user: User,
    /// None = all flags.
    flag_keys: Option<Vec<String>>,
    defaults: Defaults,
    asked: Asked,
}

impl DecideSeveral {
    pub(crate) fn new(user: User, flag_keys: Option<Vec<String>>) -> Self {
        Self { user, flag_keys, defaults: Defaults::default(), asked: Asked::default() }
    }

    /// Answer these without a sidecar. A flag asked for without one is off then; of all flags, these alone are answered.
    pub fn defaults(mut self, defaults: impl IntoIterator<Item = Decision>) -> Self {
        self.defaults.0.extend(defaults);
        self
    }

    decide_options!();

    async fn answer(mut self) -> Decisions {
        let (client, defaults) = (self.user.client.clone(), std::mem::take(&mut self.defaults));
        let flag_keys = self.flag_keys.clone().unwrap_or_default();
        match self.try_answer().await {
            Ok(decisions) => decisions,
            Err(error) => {
                count_default(&client, &error);
                defaults.answer(&flag_keys, &error)
            }
        }
    }

    async fn try_answer(self) -> Result<Decisions, Error> {
        match self.flag_keys {
            Some(none) if none.is_empty() => Ok(Decisions::default()),
            flag_keys => ask(&self.user, flag_keys.unwrap_or_default(), self.asked).await,
        }
    }
}

macro_rules! answers {
    ($($call:ty => $answer:ty;)+) => {
        $(
            impl IntoFuture for $call {
                type Output = $answer;
                type IntoFuture = BoxFuture<'static, $answer>;

                fn into_future(self) -> Self::IntoFuture {
                    Box::pin(self.answer())
                }
            }

            impl IntoFuture for Strict<$call> {
                type Output = Result<$answer, Error>;
                type IntoFuture = BoxFuture<'static, Self::Output>;

                fn into_future(self) -> Self::IntoFuture {
                    Box::pin(self.0.try_answer())
                }
            }
        )+
    };
}
pub(crate) use answers;

answers! {
    Decide => Decision;
    DecideSeveral => Decisions;
}
