"""Our own JSON event, for webhook, file and stdout: everything that was accepted, untranslated, in one shape.

Pure. The shape is documented field by field in docs/events.md "The JSON event"; `schema_version` changes when
a field changes its meaning or goes, not when one is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sidecar.events.model import (
    Alias,
    Event,
    Group,
    Identify,
    Impression,
    Page,
    ProjectFacts,
    Screen,
    Track,
    kind_of,
)
from sidecar.events.wire import encode, instant, integrations_of

SCHEMA_VERSION: Final = 1

Json: TypeAlias = dict[str, object]


def json_event(event: Event, facts: ProjectFacts | None) -> bytes:
    """One event as one JSON object without line breaks; the same event and facts give the same bytes.

    Empty maps and strings of the common part are left out; those that the kind is about are always there.
    """
    origin = event.origin
    said: Json = {
        "schema_version": SCHEMA_VERSION,
        "kind": kind_of(event).value,
        "event_id": origin.event_id,
        "time": instant(origin.time_ms),
        "received_time": instant(origin.received_ms),
    }
    for key, text in (
        ("user_id", origin.user_id),
        ("anonymous_id", origin.anonymous_id),
        ("datafile", origin.datafile),
    ):
        if text:
            said[key] = text
    if origin.historical:
        said["historical"] = True
    if facts is not None:
        said["project"] = {
            "account_id": facts.account_id,
            "project_id": facts.project_id,
            "revision": facts.revision,
        }
    said.update(_BODIES[type(event)](event))
    context = {key: value for key, value in origin.context.items() if key != "integrations"}
    if context:
        said["context"] = context
    integrations = integrations_of(origin)
    if integrations:
        said["integrations"] = dict(integrations)
    return encode(said)


def _impression(shown: Impression) -> Json:
    return {
        "decision_id": shown.decision_id,
        "flag_key": shown.flag_key,
        "rule_key": shown.rule_key,
        "rule_type": shown.rule_type,
        "variation_key": shown.variation_key,
        "enabled": shown.enabled,
        "campaign_id": shown.campaign_id,
        "experiment_id": shown.experiment_id,
        "experiment_key": shown.experiment_key,
        "variation_id": shown.variation_id,
        "attributes": dict(shown.attributes),
    }


def _track(track: Track) -> Json:
    said: Json = {
        "event_key": track.event_key,
        "attributes": dict(track.attributes),
        "event_tags": dict(track.event_tags),
        "properties": dict(track.properties),
    }
    if track.revenue is not None:
        # A string: the amount is exact, and readers of JSON make doubles of numbers.
        said["revenue"] = {"amount": str(track.revenue.amount), "currency": track.revenue.currency}
    return said


def _identify(identify: Identify) -> Json:
    return {"traits": dict(identify.traits)}


def _view(view: Page | Screen) -> Json:
    return {"name": view.name, "category": view.category, "properties": dict(view.properties)}


def _group(group: Group) -> Json:
    return {"group_id": group.group_id, "traits": dict(group.traits)}


def _alias(alias: Alias) -> Json:
    return {"previous_id": alias.previous_id}


_BODIES: Final[Mapping[type, Callable[[Any], Json]]] = {
    Impression: _impression,
    Track: _track,
    Identify: _identify,
    Page: _view,
    Screen: _view,
    Group: _group,
    Alias: _alias,
}
