//! The six events: built by their options, complete with id and time before the first attempt.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use crate::buffer;
use crate::draft::{Draft, Fields, Maps, Specific};
use crate::errors::Error;
use crate::events::{Accepted, Money};
use crate::transport::BoxFuture;
use crate::user::User;
use crate::value::Value;

macro_rules! kinds {
    ($($kind:ident: $about:literal $(, $trait:ident)*;)+) => {
        $(
            #[doc = concat!("The kind of an event: ", $about, ".")]
            #[derive(Clone, Copy, Debug)]
            pub enum $kind {}
            $(impl $trait for $kind {})*
        )+
    };
}

/// Kinds of events that have properties.
pub trait HasProperties {}
/// Kinds of events that have traits.
pub trait HasTraits {}
/// Kinds of events that belong to a category.
pub trait HasCategory {}

kinds! {
    Track: "something that the user did", HasProperties;
    Identify: "who the user is", HasTraits;
    Page: "a page that the user saw", HasProperties, HasCategory;
    Screen: "a screen that the user saw", HasProperties, HasCategory;
    Group: "the group that the user belongs to", HasTraits;
    Alias: "two ids that are one user";
}

/// An event to be sent. Awaited, it is a `Result<Accepted, Error>`; [`draft`](Self::draft) keeps it for an import.
#[derive(Clone, Debug)]
#[must_use = "an event is not sent until it is awaited"]
pub struct EventCall<Kind> {
    user: User,
    fields: Fields,
    timeout: Option<Duration>,
    kind: PhantomData<fn() -> Kind>,
}

impl<Kind> EventCall<Kind> {
    fn new(user: &User, specific: Specific) -> Self {
        Self { user: user.clone(), fields: Fields::new(specific), timeout: None, kind: PhantomData }
    }

    /// Name the event, 1-100 characters; a UUID by default. To repeat a call that failed, pass the error's.
    pub fn event_id(mut self, event_id: impl Into<String>) -> Self {
        self.fields.event_id = Some(event_id.into());
        self
    }

    /// When it happened; now by default.
    pub fn timestamp(mut self, timestamp: SystemTime) -> Self {
        self.fields.timestamp = Some(timestamp);
        self
    }

    /// Where and how it happened (ip, locale, page, campaign …).
    pub fn context<K: Into<String>, V: Into<Value>>(self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.put(Maps::Context, entries)
    }

    /// Which destinations want it, by name: true, false or a map of options; `All` stands for the rest.
    pub fn integrations<K: Into<String>, V: Into<Value>>(self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.put(Maps::Integrations, entries)
    }

    /// How long this call may take, instead of the client's `event_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The event as it is, with its id and time, to be sent by [`import_events`](crate::Client::import_events).
    ///
    /// # Errors
    ///
    /// A value has no wire form; the violation names its path.
    pub fn draft(self) -> Result<Draft, Error> {
        self.fields.draft(&self.user.identity)
    }

    fn put<K: Into<String>, V: Into<Value>>(mut self, map: Maps, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        for (key, value) in entries {
            self.fields.put(map, key.into(), value.into());
        }
        self
    }

    async fn send(self) -> Result<Accepted, Error> {
        let core = &self.user.client.core;
        let draft = self.fields.draft(&self.user.identity)?;
        let call = draft.call(self.timeout.unwrap_or(core.settings.event_timeout));
        buffer::record(core, call).await
    }
}

impl EventCall<Track> {
    pub(crate) fn track(user: &User, event_key: String) -> Self {
        Self::new(user, Specific::Track { event_key, revenue: None })
    }

    /// Add a tag, with Optimizely's meaning: `revenue` in whole cents, `value` a number.
    pub fn tag(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.tags([(key, value)])
    }

    /// Add tags, with Optimizely's meaning: `revenue` in whole cents, `value` a number.
    pub fn tags<K: Into<String>, V: Into<Value>>(self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.put(Maps::Tags, entries)
    }

    /// What it earned, exactly; above the tags and properties of that name.
    pub fn revenue(mut self, money: Money) -> Self {
        if let Specific::Track { revenue, .. } = &mut self.fields.specific {
            *revenue = Some(money);
        }
        self
    }
}

impl EventCall<Identify> {
    pub(crate) fn identify(user: &User) -> Self {
        Self::new(user, Specific::Identify)
    }
}

impl EventCall<Page> {
    pub(crate) fn page(user: &User, name: String) -> Self {
        Self::new(user, Specific::Page { name, category: String::new() })
    }
}

impl EventCall<Screen> {
    pub(crate) fn screen(user: &User, name: String) -> Self {
        Self::new(user, Specific::Screen { name, category: String::new() })
    }
}

impl EventCall<Group> {
    pub(crate) fn group(user: &User, group_id: String) -> Self {
        Self::new(user, Specific::Group { group_id })
    }
}

impl EventCall<Alias> {
    pub(crate) fn alias(user: &User, previous_id: String) -> Self {
        Self::new(user, Specific::Alias { previous_id })
    }
}

impl<Kind: HasProperties> EventCall<Kind> {
    /// Add a property, with Segment's meaning.
    pub fn property(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties([(key, value)])
    }

    /// Add properties, with Segment's meaning.
    pub fn properties<K: Into<String>, V: Into<Value>>(self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.put(Maps::Properties, entries)
    }
}

impl<Kind: HasTraits> EventCall<Kind> {
    /// Add something that is known of the user, or of the group.
    pub fn add_trait(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.traits([(key, value)])
    }

    /// Add what is known of the user, or of the group.
    pub fn traits<K: Into<String>, V: Into<Value>>(self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.put(Maps::Traits, entries)
    }
}

impl<Kind: HasCategory> EventCall<Kind> {
    /// The category that the page or screen belongs to.
    pub fn category(mut self, given: impl Into<String>) -> Self {
        if let Specific::Page { category, .. } | Specific::Screen { category, .. } = &mut self.fields.specific {
            *category = given.into();
        }
        self
    }
}

impl<Kind: 'static> IntoFuture for EventCall<Kind> {
    type Output = Result<Accepted, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
