//! Events that are complete and not sent yet: the messages of the contract, filled in once.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use prost::Message;
use prost_types::Timestamp;

use crate::core::Call;
use crate::encoding;
use crate::errors::{Error, Misfit};
use crate::events::Money;
use crate::pb;
use crate::pb::import_event::Event;
use crate::pb::tracking_service as methods;
use crate::settings::Retry;
use crate::stamps;
use crate::user::Identity;
use crate::value::Value;

/// An event with its id and time that is not sent yet, as [`import_events`](crate::Client::import_events) takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub(crate) event_id: String,
    pub(crate) event: pb::ImportEvent,
}

impl Draft {
    /// The event's name for ever.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    pub(crate) fn call(&self, timeout: Duration) -> Call {
        let (method, request) = match self.event.event.as_ref() {
            Some(Event::Track(message)) => (methods::TRACK, message.encode_to_vec()),
            Some(Event::Identify(message)) => (methods::IDENTIFY, message.encode_to_vec()),
            Some(Event::Page(message)) => (methods::PAGE, message.encode_to_vec()),
            Some(Event::Screen(message)) => (methods::SCREEN, message.encode_to_vec()),
            Some(Event::Group(message)) => (methods::GROUP, message.encode_to_vec()),
            Some(Event::Alias(message)) => (methods::ALIAS, message.encode_to_vec()),
            None => (methods::TRACK, Vec::new()),
        };
        Call { method, request: Bytes::from(request), timeout, retry: Retry::EVENT, event_id: self.event_id.clone() }
    }
}

/// What one kind of event has that others have not.
#[derive(Clone, Debug)]
pub(crate) enum Specific {
    Track { event_key: String, revenue: Option<Money> },
    Identify,
    Page { name: String, category: String },
    Screen { name: String, category: String },
    Group { group_id: String },
    Alias { previous_id: String },
}

/// The maps that events have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Maps {
    Tags,
    Properties,
    Traits,
    Context,
    Integrations,
}

/// An event while it is put together.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) specific: Specific,
    pub(crate) event_id: Option<String>,
    pub(crate) timestamp: Option<SystemTime>,
    tags: BTreeMap<String, pb::Value>,
    /// Properties, or traits: no event has both.
    details: BTreeMap<String, pb::Value>,
    context: BTreeMap<String, pb::Value>,
    integrations: BTreeMap<String, pb::Value>,
    misfit: Option<Misfit>,
}

impl Fields {
    pub(crate) fn new(specific: Specific) -> Self {
        Self {
            specific,
            event_id: None,
            timestamp: None,
            tags: BTreeMap::new(),
            details: BTreeMap::new(),
            context: BTreeMap::new(),
            integrations: BTreeMap::new(),
            misfit: None,
        }
    }

    pub(crate) fn put(&mut self, map: Maps, key: String, value: Value) {
        let (target, place) = match map {
            Maps::Tags => (&mut self.tags, "tags"),
            Maps::Properties => (&mut self.details, "properties"),
            Maps::Traits => (&mut self.details, "traits"),
            Maps::Context => (&mut self.context, "context"),
            Maps::Integrations => (&mut self.integrations, "integrations"),
        };
        if let Err(misfit) = encoding::put(target, place, key, value) {
            self.misfit.get_or_insert(misfit);
        }
    }

    /// The event of this user, complete.
    pub(crate) fn draft(mut self, identity: &Identity) -> Result<Draft, Error> {
        let event_id = self.event_id.take().unwrap_or_else(stamps::new_id);
        if let Some(misfit) = self.misfit.take() {
            return Err(Error::unsendable(misfit, "", &event_id));
        }
        if matches!(self.specific, Specific::Track { .. }) {
            // The only event that carries the user's attributes.
            identity.check(methods::TRACK, &event_id)?;
        }
        let event = Some(self.event(identity, event_id.clone()));
        Ok(Draft { event_id, event: pb::ImportEvent { event } })
    }

    fn event(self, identity: &Identity, event_id: String) -> Event {
        let timestamp = Some(Timestamp::from(self.timestamp.unwrap_or_else(stamps::now)));
        let (user_id, anonymous_id) = (identity.request.user_id.clone(), identity.anonymous_id.clone());
        let datafile = identity.request.datafile.clone();
        let Self { specific, tags, details, context, integrations, .. } = self;
        /// A message of the fields that all events have, and these.
        macro_rules! message {
            ($kind:ident { $($field:ident $(: $value:expr)?),* }) => {
                pb::$kind {
                    user_id, anonymous_id, context, integrations, event_id, timestamp, datafile,
                    $($field $(: $value)?),*
                }
            };
        }
        match specific {
            Specific::Track { event_key, revenue } => Event::Track(message!(TrackRequest {
                event_key,
                attributes: identity.request.attributes.clone(),
                event_tags: tags,
                properties: details,
                revenue: revenue.map(|money| pb::Money { amount: money.amount, currency: money.currency })
            })),
            Specific::Identify => Event::Identify(message!(IdentifyRequest { traits: details })),
            Specific::Page { name, category } => {
                Event::Page(message!(PageRequest { name, category, properties: details }))
            }
            Specific::Screen { name, category } => {
                Event::Screen(message!(ScreenRequest { name, category, properties: details }))
            }
            Specific::Group { group_id } => Event::Group(message!(GroupRequest { group_id, traits: details })),
            Specific::Alias { previous_id } => Event::Alias(message!(AliasRequest { previous_id })),
        }
    }
}
