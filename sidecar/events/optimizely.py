"""Optimizely's Event API v1: one visitor object an event, and the envelope around a batch of them.

Pure. Rules: docs/events.md "Optimizely"; the wire is Optimizely's, so its words (`visitor`, `campaign`) stay
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, TypeAlias

from sidecar.errors import Violation
from sidecar.events.identity import event_uuid
from sidecar.events.model import Event, Impression, Origin, ProjectFacts, Track
from sidecar.events.money import (
    MONEY_KEYS,
    agreed_revenue,
    check_event_tags,
    check_money,
    minor_units_in,
    value_of,
    why_not_in,
)
from sidecar.events.wire import LIBRARY, bytes_at_most, encode, event_bytes_at_most, listed
from sidecar.values import Scalar, Value

_NUMBER_MAX: Final = 2**53
_RESERVED: Final = "$opt_"
_BOT_FILTERING: Final = "$opt_bot_filtering"
# What a visitor object has at most besides attributes and tags: keys and ids, bounded, and fixed words, with room.
_FRAME_BYTES: Final = 1_000_000
_PLAIN: Final = frozenset((str, int, bool))
"""Tags of these types are sent as they are: minor units, too, which are in the destination's own currency."""
_VARIATION_ID: Final = re.compile(r"[0-9]+")

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Tags:
    """What a conversion carries, and in `unsent`, in words, what Optimizely cannot take of it."""

    tags: Mapping[str, Scalar]
    revenue: int | None
    value: int | float | None
    unsent: str


def conversion_tags(track: Track, currency: str) -> Tags:
    """The tags of a Track for a destination that counts in `currency`: scalars, and money in minor units.

    `event_tags` win over `properties` of the same key. Lists, maps and numbers that JSON cannot say are left
    out and named in `unsent`; so is revenue in another currency or with a fraction of a minor unit. A null is
    absent.
    """
    said = {**track.properties, **track.event_tags}
    tags: dict[str, Scalar] = {}
    unsendable = []
    for key, tag in said.items():
        if key in MONEY_KEYS or tag is None:
            continue
        if isinstance(tag, dict | list) or (isinstance(tag, float) and not isfinite(tag)):
            unsendable.append(key)
        else:
            tags[key] = tag
    unsent = [listed("TAGS_NOT_SENT", unsendable)] if unsendable else []
    revenue = _revenue(track, currency, unsent)
    value = value_of(track.event_tags)
    if value is None:
        value = value_of(track.properties)
    if revenue is not None:
        tags["revenue"] = revenue
    if value is not None:
        tags["value"] = value
    return Tags(tags, revenue, value, "; ".join(unsent))


def unsent_of(track: Track, currency: str) -> str:
    """`conversion_tags(…).unsent`, without making the tags of an event that has nothing to leave out."""
    if track.revenue is None and not track.properties and _PLAIN.issuperset(map(type, track.event_tags.values())):
        return ""
    return conversion_tags(track, currency).unsent


def conversion(track: Track, facts: ProjectFacts, currency: str) -> bytes:
    """A Track as a visitor object. Raises `ValueError` when its event key is not in the facts."""
    entity_id = facts.event_ids.get(track.event_key)
    if entity_id is None:
        raise ValueError(f"event key `{track.event_key}` is not in revision `{facts.revision}`")
    carried = conversion_tags(track, currency)
    event = _event(entity_id, track.event_key, track.origin)
    if carried.revenue is not None:
        event["revenue"] = carried.revenue
    if carried.value is not None:
        event["value"] = carried.value
    if carried.tags:
        event["tags"] = carried.tags
    return encode(_visitor(track.origin, track.attributes, facts, {"events": [event]}))


def impression(shown: Impression, facts: ProjectFacts) -> bytes:
    """An Impression as a visitor object.

    Optimizely's own normalisations: an empty campaign id is the experiment id, a variation id that is no
    decimal number is null.
    """
    campaign_id = shown.campaign_id or shown.experiment_id
    decision: Json = {
        "campaign_id": campaign_id,
        "experiment_id": shown.experiment_id,
        "variation_id": shown.variation_id if _VARIATION_ID.fullmatch(shown.variation_id) else None,
        "metadata": {
            "flag_key": shown.flag_key,
            "rule_key": shown.rule_key,
            "rule_type": shown.rule_type,
            "variation_key": shown.variation_key,
            "enabled": shown.enabled,
        },
    }
    event = _event(campaign_id, "campaign_activated", shown.origin)
    return encode(_visitor(shown.origin, shown.attributes, facts, {"decisions": [decision], "events": [event]}))


def violations(event: Event) -> Sequence[Violation]:
    """What of a Track must refuse the call: no amounts (R12), and amounts that contradict each other."""
    if not isinstance(event, Track):
        return ()
    violations = check_event_tags(event.event_tags) if event.event_tags else []
    if event.revenue is not None or event.properties:
        violations += check_money(event.revenue, event.event_tags, event.properties)
    return violations


def carried_bytes_at_most(values_bytes: int) -> int:
    """An upper bound of a visitor object and its envelope, by one of the values that it carries."""
    # Twice: a reserved attribute has its key as its id too.
    return 2 * values_bytes + _FRAME_BYTES


def visitor_bytes_at_most(event: Impression | Track) -> int:
    """An upper bound of a visitor object and its envelope, cheaper than to render it."""
    if event.origin.request_bytes:
        return carried_bytes_at_most(event_bytes_at_most(event))
    # Twice: a reserved attribute has its key as its id too.
    carried = 2 * bytes_at_most(event.attributes)
    if isinstance(event, Track):
        carried += bytes_at_most(event.event_tags) + bytes_at_most(event.properties)
    return carried + _FRAME_BYTES


def envelope(facts: ProjectFacts) -> tuple[bytes, bytes]:
    """What stands before and after the visitors of a batch, which are joined by commas."""
    head = encode(
        {
            "account_id": facts.account_id,
            "project_id": facts.project_id,
            "revision": facts.revision,
            "client_name": LIBRARY["name"],
            "client_version": LIBRARY["version"],
            "anonymize_ip": facts.anonymize_ip,
            "enrich_decisions": True,
            "visitors": [],
        }
    )
    return head[:-2], head[-2:]


def batch_key(facts: ProjectFacts) -> tuple[str, str, str, bool, str]:
    """Events with equal keys have one envelope and one endpoint."""
    return facts.account_id, facts.project_id, facts.revision, facts.anonymize_ip, facts.region


def sendable_attributes(attributes: Mapping[str, Value], facts: ProjectFacts) -> list[Json]:
    """The attributes that Optimizely takes: scalar, finite, within ±2^53, in the datafile or `$opt_`."""
    sent: list[Json] = []
    for key, value in attributes.items():
        entity_id = facts.attribute_ids.get(key)
        if entity_id is None and key.startswith(_RESERVED):
            entity_id = key
        if entity_id is not None and _is_sendable(value):
            sent.append({"entity_id": entity_id, "key": key, "type": "custom", "value": value})
    if facts.bot_filtering is not None:
        flag = {
            "entity_id": _BOT_FILTERING,
            "key": _BOT_FILTERING,
            "type": "custom",
            "value": facts.bot_filtering,
        }
        sent.append(flag)
    return sent


def _is_sendable(value: Value) -> bool:
    if isinstance(value, str | bool):
        return True
    return isinstance(value, int | float) and isfinite(value) and abs(value) <= _NUMBER_MAX


def _visitor(origin: Origin, attributes: Mapping[str, Value], facts: ProjectFacts, snapshot: Json) -> Json:
    return {
        "visitor_id": origin.visitor_id,
        "attributes": sendable_attributes(attributes, facts),
        "snapshots": [snapshot],
    }


def _event(entity_id: str, key: str, origin: Origin) -> Json:
    return {
        "entity_id": entity_id,
        "uuid": event_uuid(origin.event_id),
        "key": key,
        "timestamp": origin.time_ms,
    }


def _revenue(track: Track, currency: str, unsent: list[str]) -> int | None:
    said = agreed_revenue(track.revenue, track.event_tags, track.properties)
    if said is None:
        if track.properties.get("revenue") is not None:
            unsent.append("REVENUE_NOT_SENT: no number")
        return None
    sent = minor_units_in(said, currency)
    if sent is None:
        unsent.append(f"REVENUE_NOT_SENT: {why_not_in(said, currency)}")
    return sent
