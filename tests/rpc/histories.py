"""What the tests of imports send: events of every kind, and messages of them."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from sidecar.pb import tracking_pb2
from tests.support.served import Served, track_request, values

SERVICE = "/sidecar.v1.TrackingService/"
IMPORT, STREAM = SERVICE + "Import", SERVICE + "ImportStream"
OPTIMIZELY_HISTORY = ("optimizely", "SKIPPED", "HISTORICAL")
NOT_TAKEN = ("optimizely", "SKIPPED", "KIND_NOT_TAKEN")
HOOK = ("hook", "QUEUED", "")

_MAPS = ("attributes", "event_tags", "properties", "traits", "context", "integrations")
_REQUESTS: dict[str, Any] = {
    one.name: getattr(tracking_pb2, f"{one.name.capitalize()}Request")
    for one in tracking_pb2.ImportEvent.DESCRIPTOR.fields
}
REQUIRED: dict[str, dict[str, Any]] = {
    "track": {"event_key": "purchase"},
    "group": {"group_id": "g"},
    "alias": {"previous_id": "p"},
}


def request(kind: str, **fields: Any) -> Message:
    """The request of one call, for the user `u` unless told otherwise; its maps are native values."""
    maps = {name: values(fields.pop(name)) for name in _MAPS if name in fields}
    made: Message = _REQUESTS[kind](**{"user_id": "u", **REQUIRED.get(kind, {}), **fields}, **maps)
    return made


def event(kind: str = "track", **fields: Any) -> tracking_pb2.ImportEvent:
    """One event of an import, made as `request` makes it."""
    made: dict[str, Any] = {kind: request(kind, **fields)}
    return tracking_pb2.ImportEvent(**made)


def tracks(*ids: str, **fields: Any) -> list[tracking_pb2.ImportEvent]:
    """A Track for each id."""
    return [tracking_pb2.ImportEvent(track=track_request(event_id=one, **fields)) for one in ids]


async def imported(served: Served, *events: tracking_pb2.ImportEvent, **fields: Any) -> tracking_pb2.ImportResponse:
    """`Import` of events."""
    return await served.call(IMPORT, tracking_pb2.ImportRequest(events=events, **fields), tracking_pb2.ImportResponse)


def outcomes(told: Any) -> dict[tuple[str, str, str], Any]:
    """Outcomes of an answer or a summary: the places of the events that had each, in a summary how many."""
    states = {1: "QUEUED", 2: "SKIPPED"}
    found = {}
    for one in told:
        key = (one.outcome.destination, states[one.outcome.state], one.outcome.reason)
        assert key not in found, f"{key} stands twice"
        assert not one.event_indexes or len(one.event_indexes) == one.events
        found[key] = list(one.event_indexes) or one.events
    return found
