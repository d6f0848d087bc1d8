"""The six calls of `TrackingService`: what differs between them, as a table, and what may be wrong with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.pb import tracking_pb2
from sidecar.rpc import wire
from sidecar.rpc.answers import REQUESTS
from sidecar.rpc.money import check_money
from sidecar.rpc.records import Maps, TrackingRequest, map_names
from sidecar.rpc.requests import Violations, check_id, check_text
from sidecar.rpc.wire_values import mapping


@dataclass(frozen=True, slots=True)
class CallKind:
    """What differs between the six calls. `texts` names fields; `required` those that may not be empty."""

    method: str
    field: str
    request: Any
    response: Any
    texts: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    @property
    def maps(self) -> tuple[str, ...]:
        """The fields that are maps of `Value`."""
        return map_names(self.request)

    @property
    def head(self) -> wire.Heads:
        """What stands before the request in a stored call."""
        return REQUESTS[self.field]


TRACK: Final = CallKind(
    "Track",
    "track",
    tracking_pb2.TrackRequest,
    tracking_pb2.TrackResponse,
    required=("event_key",),
)
CALLS: Final = (
    TRACK,
    CallKind(
        "Identify",
        "identify",
        tracking_pb2.IdentifyRequest,
        tracking_pb2.IdentifyResponse,
    ),
    CallKind(
        "Page",
        "page",
        tracking_pb2.PageRequest,
        tracking_pb2.PageResponse,
        texts=("name", "category"),
    ),
    CallKind(
        "Screen",
        "screen",
        tracking_pb2.ScreenRequest,
        tracking_pb2.ScreenResponse,
        texts=("name", "category"),
    ),
    CallKind(
        "Group",
        "group",
        tracking_pb2.GroupRequest,
        tracking_pb2.GroupResponse,
        required=("group_id",),
    ),
    CallKind(
        "Alias",
        "alias",
        tracking_pb2.AliasRequest,
        tracking_pb2.AliasResponse,
        required=("previous_id", "user_id"),
    ),
)


def check(kind: CallKind, names: Sequence[str], message: TrackingRequest, violations: Violations) -> Maps:
    """Note everything that is wrong with a request by itself, whoever takes its event; returns its maps.

    `names` are `kind.maps`, asked once: a map is read once, to check it and to make the event of it.
    """
    if not message.user_id and not message.anonymous_id and "user_id" not in kind.required:
        violations.add("user_id", "is empty and so is anonymous_id, wanted at least one of them")
    for name in ("user_id", "anonymous_id", *kind.texts):
        check_text(getattr(message, name), name, violations)
    for name in kind.required:
        text = getattr(message, name)
        if not text:
            violations.add(name, "is empty, wanted a value")
        check_text(text, name, violations)
    check_id(message.event_id, "event_id", violations)
    maps = {name: mapping(getattr(message, name), name, violations) for name in names}
    if message.HasField("timestamp"):
        _check_timestamp(message.timestamp, violations)
    if isinstance(message, tracking_pb2.TrackRequest) and message.HasField("revenue"):
        check_money(message.revenue, "revenue", violations)
    return maps


def _check_timestamp(timestamp: Timestamp, violations: Violations) -> None:
    """The range of the well-known type: years 1 to 9999, and nanoseconds within a second."""
    try:
        timestamp.ToDatetime()
    except (ValueError, OverflowError):
        violations.add("timestamp", f"is {timestamp.seconds} s, wanted a time between the years 1 and 9999")
