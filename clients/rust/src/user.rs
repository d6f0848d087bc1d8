//! The handle of one user: who it is, encoded once, and the calls that are about it.

use std::sync::Arc;

use prost::Message;

use crate::client::Client;
use crate::decide::{Decide, DecideSeveral};
use crate::encoding;
use crate::errors::{Error, Misfit};
use crate::event_call::{Alias, EventCall, Group, Identify, Page, Screen, Track};
use crate::explain::Explain;
use crate::pb;
use crate::value::Value;

/// A user with everything that its decisions depend on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) anonymous_id: String,
    /// The fields of a Decide that do not change from call to call. Protobuf merges messages that follow each other, so
    /// a call appends its few bytes.
    pub(crate) request: pb::DecideRequest,
    /// An attribute that has no wire form. Kept, so that a handle is made without an error, and told by each call.
    pub(crate) misfit: Option<Misfit>,
}

impl Identity {
    /// A request of this user: these fields, then those of `rest`.
    pub(crate) fn request_with(&self, rest: &impl Message) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.request.encoded_len() + rest.encoded_len());
        self.request.encode_raw(&mut bytes);
        rest.encode_raw(&mut bytes);
        bytes
    }

    pub(crate) fn check(&self, method: &'static str, event_id: &str) -> Result<(), Error> {
        self.misfit.clone().map_or(Ok(()), |misfit| Err(Error::unsendable(misfit, method, event_id)))
    }
}

/// One user with its attributes. Immutable and cheap: make one for each request; what changes it gives another.
#[derive(Clone, Debug)]
#[must_use]
pub struct User {
    pub(crate) client: Client,
    pub(crate) identity: Arc<Identity>,
}

impl User {
    /// The user's id; empty when only an anonymous id is known.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.identity.request.user_id
    }

    /// The same user with this id for the time when it is not known.
    pub fn with_anonymous_id(self, anonymous_id: impl Into<String>) -> Self {
        self.with(|identity| identity.anonymous_id = anonymous_id.into())
    }

    /// The same user, decided by this datafile: its name, else its SDK key.
    pub fn with_datafile(self, datafile: impl Into<String>) -> Self {
        self.with(|identity| identity.request.datafile = datafile.into())
    }

    /// The same user with this attribute added, or replaced.
    pub fn with_attribute(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with_attributes([(key, value)])
    }

    /// The same user with these attributes added, or replaced.
    pub fn with_attributes<K, V>(self, attributes: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<Value>,
    {
        self.with(|identity| {
            for (key, value) in attributes {
                let put = encoding::put(&mut identity.request.attributes, "attributes", key.into(), value.into());
                identity.misfit = put.err().or_else(|| identity.misfit.take());
            }
        })
    }

    /// The same user in exactly these segments, for `qualified` conditions; without this they are unset.
    pub fn with_segments<K: Into<String>>(self, segments: impl IntoIterator<Item = K>) -> Self {
        let keys = segments.into_iter().map(Into::into).collect();
        self.with(|identity| identity.request.qualified_segments = Some(pb::QualifiedSegments { keys }))
    }

    /// The same user with this variation imposed on the whole flag.
    pub fn with_forced_decision(self, flag_key: impl Into<String>, variation_key: impl Into<String>) -> Self {
        self.with_forced_rule(flag_key, variation_key, "")
    }

    /// The same user with this variation imposed on one rule of the flag.
    pub fn with_forced_rule(
        self,
        flag_key: impl Into<String>,
        variation_key: impl Into<String>,
        rule_key: impl Into<String>,
    ) -> Self {
        let forced = pb::ForcedDecision {
            flag_key: flag_key.into(),
            rule_key: rule_key.into(),
            variation_key: variation_key.into(),
        };
        self.without_forced_rule(&forced.flag_key, &forced.rule_key)
            .with(|identity| identity.request.forced_decisions.push(forced))
    }

    /// The same user without the variation imposed on the whole flag, if there is one.
    pub fn without_forced_decision(self, flag_key: &str) -> Self {
        self.without_forced_rule(flag_key, "")
    }

    /// The same user without the variation imposed on that rule, if there is one.
    pub fn without_forced_rule(self, flag_key: &str, rule_key: &str) -> Self {
        self.with(|identity| {
            let forced = &mut identity.request.forced_decisions;
            forced.retain(|each| each.flag_key != flag_key || each.rule_key != rule_key);
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Identity)) -> Self {
        change(Arc::make_mut(&mut self.identity));
        self
    }

    /// Decide one flag: `user.decide("flag").await`.
    pub fn decide(&self, flag_key: impl Into<String>) -> Decide {
        Decide::new(self.clone(), flag_key.into())
    }

    /// Decide these flags at one revision, in this order; none asked for is none answered.
    pub fn decide_for_keys<K: Into<String>>(&self, flag_keys: impl IntoIterator<Item = K>) -> DecideSeveral {
        DecideSeveral::new(self.clone(), Some(flag_keys.into_iter().map(Into::into).collect()))
    }

    /// Decide all flags of the datafile at one revision, in its order.
    pub fn decide_all(&self) -> DecideSeveral {
        DecideSeveral::new(self.clone(), None)
    }

    /// Why this user gets what it gets: the rules, what each condition saw, the bucket. Records nothing.
    pub fn explain(&self, flag_key: impl Into<String>) -> Explain {
        Explain::new(self.clone(), flag_key.into())
    }

    /// Something that the user did, by the event's key: `user.track("purchase").await?`.
    pub fn track(&self, event_key: impl Into<String>) -> EventCall<Track> {
        EventCall::track(self, event_key.into())
    }

    /// Who the user is.
    pub fn identify(&self) -> EventCall<Identify> {
        EventCall::identify(self)
    }

    /// A page that the user saw, by its name, which may be empty.
    pub fn page(&self, name: impl Into<String>) -> EventCall<Page> {
        EventCall::page(self, name.into())
    }

    /// A screen of an app that the user saw, by its name, which may be empty.
    pub fn screen(&self, name: impl Into<String>) -> EventCall<Screen> {
        EventCall::screen(self, name.into())
    }

    /// The group, as a company or team, that the user belongs to.
    pub fn group(&self, group_id: impl Into<String>) -> EventCall<Group> {
        EventCall::group(self, group_id.into())
    }

    /// The user was known by `previous_id` until now.
    pub fn alias(&self, previous_id: impl Into<String>) -> EventCall<Alias> {
        EventCall::alias(self, previous_id.into())
    }
}
