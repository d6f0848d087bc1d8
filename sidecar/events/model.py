"""Event values: what was accepted, once decoded and valid. No wire form, no clock, no id generation.

An event is what one destination receives as one unit; batches, dead letters and every count are of events.
Where an event goes is not part of it: that was decided when it was accepted and is kept beside it in the
outbox. Why Structs: two are made for each event, when it is accepted and when it leaves, in a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct

from sidecar.values import Money, Value

NO_VALUES: Mapping[str, Value] = MappingProxyType({})


class EventKind(StrEnum):
    """The kinds of design: an impression comes from a decision, the others from the calls of that name."""

    IMPRESSION = "impression"
    TRACK = "track"
    IDENTIFY = "identify"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """What a datafile says about a project that an event needs when it leaves.

    Kept with the event, so that it leaves with the facts it was accepted under, whatever was loaded since.
    `region` is "US" or "EU"; `bot_filtering` None means that the datafile is silent; the maps go from key to
    id.
    """

    account_id: str
    project_id: str
    revision: str
    region: str = "US"
    sdk_key: str = ""
    anonymize_ip: bool = False
    bot_filtering: bool | None = None
    attribute_ids: Mapping[str, str] = field(default_factory=dict)
    event_ids: Mapping[str, str] = field(default_factory=dict)


class Origin(Struct, frozen=True, kw_only=True, gc=False):
    """What every event has: identity, time and where it came from.

    `event_id` is 1-100 characters, stable over retries and restarts; `time_ms` is when it happened,
    milliseconds since 1970 UTC: the caller's timestamp, else the receipt; `received_ms` is the receipt. At
    least one of `user_id` and `anonymous_id` is not empty. `historical` marks events of an import.
    """

    event_id: str
    time_ms: int
    received_ms: int
    user_id: str
    anonymous_id: str = ""
    datafile: str = ""
    context: Mapping[str, Value] = NO_VALUES
    integrations: Mapping[str, Value] = NO_VALUES
    historical: bool = False
    request_bytes: int = 0
    """The size of the request that said all this: a bound of what it can become. 0 = not known."""

    @property
    def visitor_id(self) -> str:
        """Optimizely's visitor: the user id, else the anonymous id."""
        return self.user_id or self.anonymous_id


class Impression(Struct, frozen=True, kw_only=True, gc=False):
    """A user was shown a variation (or, with empty keys, none). Its event id is derived from the decision id.

    `rule_type` is spelled as Optimizely does: feature-test, rollout, holdout, experiment.
    """

    origin: Origin
    decision_id: str
    flag_key: str
    rule_key: str
    rule_type: str
    variation_key: str
    enabled: bool
    campaign_id: str
    experiment_id: str
    experiment_key: str
    variation_id: str
    attributes: Mapping[str, Value] = NO_VALUES


class Track(Struct, frozen=True, kw_only=True, gc=False):
    """A user did something.

    `event_tags` have Optimizely's meaning, `properties` Segment's; `revenue` is above both.
    """

    origin: Origin
    event_key: str
    attributes: Mapping[str, Value] = NO_VALUES
    event_tags: Mapping[str, Value] = NO_VALUES
    properties: Mapping[str, Value] = NO_VALUES
    revenue: Money | None = None


class Identify(Struct, frozen=True, kw_only=True, gc=False):
    """Traits of a user."""

    origin: Origin
    traits: Mapping[str, Value] = NO_VALUES


class Page(Struct, frozen=True, kw_only=True, gc=False):
    """A page was viewed."""

    origin: Origin
    name: str = ""
    category: str = ""
    properties: Mapping[str, Value] = NO_VALUES


class Screen(Struct, frozen=True, kw_only=True, gc=False):
    """A screen of an application was viewed."""

    origin: Origin
    name: str = ""
    category: str = ""
    properties: Mapping[str, Value] = NO_VALUES


class Group(Struct, frozen=True, kw_only=True, gc=False):
    """A user belongs to a group (an account, a company)."""

    origin: Origin
    group_id: str
    traits: Mapping[str, Value] = NO_VALUES


class Alias(Struct, frozen=True, kw_only=True, gc=False):
    """Two identities are one: `previous_id` is now `origin.user_id`."""

    origin: Origin
    previous_id: str


Event: TypeAlias = Impression | Track | Identify | Page | Screen | Group | Alias

_KINDS: Mapping[type, EventKind] = {
    Impression: EventKind.IMPRESSION,
    Track: EventKind.TRACK,
    Identify: EventKind.IDENTIFY,
    Page: EventKind.PAGE,
    Screen: EventKind.SCREEN,
    Group: EventKind.GROUP,
    Alias: EventKind.ALIAS,
}


def kind_of(event: Event) -> EventKind:
    """The kind of an event, by its type."""
    return _KINDS[type(event)]
