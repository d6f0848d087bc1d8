//! What the fake records: events and decisions, as values.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::encoding::all_decoded;
use crate::events::Money;
use crate::pb;
use crate::pb::import_event::Event;
use crate::value::Value;

/// An event that the code under test sent. What an event of its kind has not is empty.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// `track`, `identify`, `page`, `screen`, `group` or `alias`.
    pub kind: &'static str,
    /// The event key, page, screen or group id.
    pub name: String,
    /// The event's name for ever.
    pub event_id: String,
    /// The user.
    pub user_id: String,
    /// The user while it is not known.
    pub anonymous_id: String,
    /// When it happened.
    pub timestamp: Option<SystemTime>,
    /// Of an alias: the id used until then.
    pub previous_id: String,
    /// Of a page or screen: its category.
    pub category: String,
    /// Of a track: the user's attributes.
    pub attributes: BTreeMap<String, Value>,
    /// Of a track: its tags.
    pub tags: BTreeMap<String, Value>,
    /// Of a track, page or screen: its properties.
    pub properties: BTreeMap<String, Value>,
    /// Of an identify or group: its traits.
    pub traits: BTreeMap<String, Value>,
    /// Where and how it happened.
    pub context: BTreeMap<String, Value>,
    /// Which destinations want it.
    pub integrations: BTreeMap<String, Value>,
    /// Of a track: what it earned.
    pub revenue: Option<Money>,
}

/// A decision that the code under test asked for, one for each flag answered.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RecordedDecision {
    /// The user.
    pub user_id: String,
    /// The flag.
    pub flag_key: String,
    /// The user's attributes.
    pub attributes: BTreeMap<String, Value>,
}

/// The event of a message. All six name alike what is alike; `kind`, and what differs, is named for each.
pub(super) fn recorded(event: Event) -> RecordedEvent {
    macro_rules! record {
        ($kind:literal, $message:ident, $($field:ident: $value:expr),*) => {
            RecordedEvent {
                kind: $kind,
                event_id: $message.event_id,
                user_id: $message.user_id,
                anonymous_id: $message.anonymous_id,
                timestamp: $message.timestamp.and_then(|each| SystemTime::try_from(each).ok()),
                context: all_decoded($message.context),
                integrations: all_decoded($message.integrations),
                $($field: $value,)*
                ..RecordedEvent::default()
            }
        };
    }
    let money = |money: pb::Money| Money { amount: money.amount, currency: money.currency };
    match event {
        Event::Track(each) => record!("track", each,
            name: each.event_key,
            attributes: all_decoded(each.attributes),
            tags: all_decoded(each.event_tags),
            properties: all_decoded(each.properties),
            revenue: each.revenue.map(money)),
        Event::Identify(each) => record!("identify", each, traits: all_decoded(each.traits)),
        Event::Page(each) => record!("page", each,
            name: each.name, category: each.category, properties: all_decoded(each.properties)),
        Event::Screen(each) => record!("screen", each,
            name: each.name, category: each.category, properties: all_decoded(each.properties)),
        Event::Group(each) => record!("group", each, name: each.group_id, traits: all_decoded(each.traits)),
        Event::Alias(each) => record!("alias", each, previous_id: each.previous_id),
    }
}
