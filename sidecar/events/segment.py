"""Segment's Batch API: one message an event, and the envelope around a batch of them.

Pure. Rules: docs/events.md "Segment". Also spoken by RudderStack, Jitsu and others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sidecar.errors import Violation
from sidecar.events.model import (
    Alias,
    Event,
    Group,
    Identify,
    Impression,
    Origin,
    Page,
    Screen,
    Track,
)
from sidecar.events.money import (
    MONEY_KEYS,
    agreed_revenue,
    amount_in_major_units,
    check_money,
    value_of,
)
from sidecar.events.wire import LIBRARY, encode, event_bytes_at_most, instant, integrations_of
from sidecar.values import Value

EXPERIMENT_VIEWED: Final = "Experiment Viewed"
"""The event of Segment's A/B testing specification."""

SEGMENT_ITSELF: Final = "Segment.io"
"""What `integrations` call Segment itself, as its libraries do."""
CHANNEL: Final = "server"
"""Where events come from, of the three that Segment's specification knows: server, browser and mobile."""

Json: TypeAlias = dict[str, object]


def message(event: Event, currency: str) -> bytes:
    """One event as a message of a batch; the same event gives the same bytes.

    `currency` is what `event_tags.revenue` is taken to be in when the event names none.
    """
    said = _BODIES[type(event)](event, currency)
    origin = event.origin
    said["messageId"] = origin.event_id
    said["timestamp"] = instant(origin.time_ms)
    if origin.user_id:
        said["userId"] = origin.user_id
    if origin.anonymous_id:
        said["anonymousId"] = origin.anonymous_id
    said["context"] = _context(origin)
    integrations = integrations_of(origin)
    if integrations:
        said["integrations"] = dict(integrations)
    return encode(said)


def envelope(sent_at_ms: int) -> tuple[bytes, bytes]:
    """What stands before and after the messages of a batch, which are joined by commas.

    `sent_at_ms` is the time of this attempt: Segment corrects clocks by it, so it must be new each time.
    """
    return b'{"batch":[', b'],"sentAt":"' + instant(sent_at_ms).encode() + b'"}'


def contradictions(event: Event) -> Sequence[Violation]:
    """Amounts of a Track that contradict each other; see `money.check_money`."""
    if not isinstance(event, Track):
        return ()
    return check_money(event.revenue, event.event_tags, event.properties)


def message_bytes_at_most(event: Event) -> int:
    """An upper bound of `len(message(event))`, cheaper than the message."""
    # Twice: a page's name and category, and a typed amount beside the caller's, can stand in two places.
    return 2 * event_bytes_at_most(event)


def _context(origin: Origin) -> Json:
    """The caller's context. A library or channel of the caller's keeps its place; our library then stands beside it."""
    context: Json = {key: value for key, value in origin.context.items() if key != "integrations"}
    context.setdefault("channel", CHANNEL)
    context["sidecar" if "library" in context else "library"] = LIBRARY
    return context


def _track(track: Track, currency: str) -> Json:
    properties: Json = {key: value for key, value in track.event_tags.items() if key not in MONEY_KEYS}
    properties.update(track.properties)
    value = value_of(track.event_tags)
    if value is not None and "value" not in properties:
        properties["value"] = value
    said = agreed_revenue(track.revenue, track.event_tags, track.properties)
    # The caller's own `properties.revenue` is Segment's vocabulary already, and goes out as it came in.
    if said is not None and (track.revenue is not None or properties.get("revenue") is None):
        translated = amount_in_major_units(said, currency)
        if translated is not None:
            properties["revenue"], properties["currency"] = translated
    return {"type": "track", "event": track.event_key, "properties": properties}


def _experiment_viewed(shown: Impression, _currency: str) -> Json:
    properties = {
        "experiment_id": shown.experiment_id,
        "experiment_name": shown.experiment_key,
        "variation_id": shown.variation_id,
        "variation_name": shown.variation_key,
        "flag_key": shown.flag_key,
        "rule_key": shown.rule_key,
        "rule_type": shown.rule_type,
        "enabled": shown.enabled,
    }
    return {"type": "track", "event": EXPERIMENT_VIEWED, "properties": properties}


def _identify(identify: Identify, _currency: str) -> Json:
    return {"type": "identify", "traits": dict(identify.traits)}


def _page(page: Page, _currency: str) -> Json:
    return _view("page", page.name, page.category, page.properties)


def _screen(screen: Screen, _currency: str) -> Json:
    return _view("screen", screen.name, screen.category, screen.properties)


def _view(kind: str, name: str, category: str, properties: Mapping[str, Value]) -> Json:
    """Name and category stand at the top and, as the specification has it, among the properties."""
    said: Json = {"type": kind}
    inner: Json = dict(properties)
    for key, text in (("name", name), ("category", category)):
        if text:
            said[key] = text
            inner.setdefault(key, text)
    said["properties"] = inner
    return said


def _group(group: Group, _currency: str) -> Json:
    return {"type": "group", "groupId": group.group_id, "traits": dict(group.traits)}


def _alias(alias: Alias, _currency: str) -> Json:
    return {"type": "alias", "previousId": alias.previous_id}


_BODIES: Final[Mapping[type, Callable[[Any, str], Json]]] = {
    Impression: _experiment_viewed,
    Track: _track,
    Identify: _identify,
    Page: _page,
    Screen: _screen,
    Group: _group,
    Alias: _alias,
}
