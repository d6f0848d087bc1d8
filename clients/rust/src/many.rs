//! The call for the decisions of many users at once, and what became of each.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use crate::client::Client;
use crate::core::Call;
use crate::decide::{Asked, Defaults, Strict, answers, count_default, numbers};
use crate::decisions::{DecideOption, Decision, Decisions};
use crate::errors::{Error, Misfit};
use crate::faults::error_of_message;
use crate::pb;
use crate::pb::decide_many_result::Result as One;
use crate::pb::decision_service::DECIDE_MANY;
use crate::replies;
use crate::settings::Retry;
use crate::stamps;
use crate::transport::BoxFuture;
use crate::user::User;

/// Users of one call; the sidecar's own bound.
const USERS_MAX: usize = 1_000;

/// The decisions of many users at one revision. Awaited, they are a `Vec<Decisions>`, in the users' order: a user that
/// is refused has the defaults, the others have their decisions.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct DecideMany {
    client: Client,
    users: Vec<User>,
    flag_keys: Vec<String>,
    decision_ids: Vec<String>,
    defaults: Defaults,
    asked: Asked,
}

impl DecideMany {
    pub(crate) fn new(client: Client, users: Vec<User>, flag_keys: Vec<String>) -> Self {
        let (decision_ids, defaults, asked) = (Vec::new(), Defaults::default(), Asked::default());
        Self { client, users, flag_keys, decision_ids, defaults, asked }
    }

    /// Answer these without a sidecar, for each user.
    pub fn defaults(mut self, defaults: impl IntoIterator<Item = Decision>) -> Self {
        self.defaults.0.extend(defaults);
        self
    }

    /// Name the users' decisions, one for each, in their order; UUIDs by default.
    pub fn decision_ids<K: Into<String>>(mut self, decision_ids: impl IntoIterator<Item = K>) -> Self {
        self.decision_ids = decision_ids.into_iter().map(Into::into).collect();
        self
    }

    /// Add options to the sidecar's default options.
    pub fn options(mut self, options: impl IntoIterator<Item = DecideOption>) -> Self {
        self.asked.options.extend(options);
        self
    }

    /// How long this call may take, instead of the client's `status_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.asked.timeout = Some(timeout);
        self
    }

    /// Tell the first error instead of answering defaults.
    pub fn strict(self) -> Strict<Self> {
        Strict(self)
    }

    async fn answer(self) -> Vec<Decisions> {
        let or_default = |error: Error| {
            count_default(&self.client, &error);
            self.defaults.answer(&self.flag_keys, &error)
        };
        match self.ask().await {
            Ok(results) => results.into_iter().map(|each| read(each).unwrap_or_else(or_default)).collect(),
            Err(error) => {
                count_default(&self.client, &error);
                vec![self.defaults.answer(&self.flag_keys, &error); self.users.len()]
            }
        }
    }

    async fn try_answer(self) -> Result<Vec<Decisions>, Error> {
        self.ask().await?.into_iter().map(read).collect()
    }

    async fn ask(&self) -> Result<Vec<pb::DecideManyResult>, Error> {
        if self.users.is_empty() {
            return Ok(Vec::new());
        }
        let core = &self.client.core;
        let call = Call {
            method: DECIDE_MANY,
            request: Bytes::from(self.request()?.encode_to_vec()),
            timeout: self.asked.timeout.unwrap_or(core.settings.status_timeout),
            retry: Retry::EVENT,
            event_id: String::new(),
        };
        core.perform::<pb::DecideManyResponse>(&call).await.map(|reply| reply.results)
    }

    fn request(&self) -> Result<pb::DecideManyRequest, Error> {
        let (count, ids) = (self.users.len(), self.decision_ids.len());
        let refused = |field: &str, description: String| {
            Err(Error::unsendable(Misfit { field: field.to_owned(), description }, DECIDE_MANY, ""))
        };
        if count > USERS_MAX {
            return refused("users", format!("are {count}, wanted at most {USERS_MAX}"));
        }
        if ids != 0 && ids != count {
            return refused("decision_ids", format!("are {ids} for {count} users, wanted one each or none"));
        }
        let datafiles: BTreeSet<&str> = self.users.iter().map(|each| each.identity.request.datafile.as_str()).collect();
        if datafiles.len() > 1 {
            return refused("users", format!("are of the datafiles {datafiles:?}, wanted one"));
        }
        let given = self.decision_ids.iter().cloned();
        let users = self.users.iter().zip(given.map(Some).chain(std::iter::repeat(None)));
        Ok(pb::DecideManyRequest {
            users: users.map(|(user, id)| one(user, id)).collect::<Result<_, _>>()?,
            flag_keys: self.flag_keys.clone(),
            options: numbers(&self.asked.options),
            datafile: datafiles.into_iter().next().unwrap_or_default().to_owned(),
        })
    }
}

fn one(user: &User, decision_id: Option<String>) -> Result<pb::DecideManyUser, Error> {
    user.identity.check(DECIDE_MANY, "")?;
    let request = &user.identity.request;
    Ok(pb::DecideManyUser {
        user_id: request.user_id.clone(),
        attributes: request.attributes.clone(),
        forced_decisions: request.forced_decisions.clone(),
        qualified_segments: request.qualified_segments.clone(),
        decision_id: decision_id.unwrap_or_else(stamps::new_id),
    })
}

fn read(message: pb::DecideManyResult) -> Result<Decisions, Error> {
    match message.result {
        Some(One::Decided(decided)) => Ok(replies::decisions(decided)),
        Some(One::Error(status)) => Err(error_of_message(&status, DECIDE_MANY)),
        None => Err(error_of_message(&pb::rpc::Status::default(), DECIDE_MANY)),
    }
}

answers! {
    DecideMany => Vec<Decisions>;
}
