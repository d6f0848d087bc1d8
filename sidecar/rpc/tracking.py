"""`TrackingService`: the six calls and `Flush`. `Import` and `ImportStream` come later.

One shape serves all six: parse, collect every violation, stamp id and time, accept, answer when it is on disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar import limits
from sidecar.delivery import Delivery
from sidecar.pb import event_pb2, record_pb2, tracking_pb2
from sidecar.ports import Clock, Ids
from sidecar.rpc import answers, wire
from sidecar.rpc.methods import Call, Method, Unary
from sidecar.rpc.money import check_money
from sidecar.rpc.records import TrackingRequest, event_of
from sidecar.rpc.requests import Violations, check_id, check_text, parse
from sidecar.rpc.wire_values import mapping
from sidecar.tracker import Tracker
from sidecar.values import Outcome, OutcomeState

SERVICE: Final = "/sidecar.v1.TrackingService/"

_STATES: Final = {
    OutcomeState.QUEUED: event_pb2.OUTCOME_STATE_QUEUED,
    OutcomeState.SKIPPED: event_pb2.OUTCOME_STATE_SKIPPED,
}


@dataclass(frozen=True, slots=True)
class _CallKind:
    """What differs between the six calls. `maps` and `texts` name fields; `required` those that may not be empty."""

    method: str
    field: str
    request: Any
    response: Any
    maps: tuple[str, ...]
    texts: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    @property
    def tag(self) -> bytes:
        """The tag of the request's field in a stored call."""
        return wire.tag(record_pb2.StoredCall.DESCRIPTOR.fields_by_name[self.field].number)


_COMMON_MAPS: Final = ("context", "integrations")
_CALLS: Final = (
    _CallKind(
        "Track",
        "track",
        tracking_pb2.TrackRequest,
        tracking_pb2.TrackResponse,
        maps=("attributes", "event_tags", "properties", *_COMMON_MAPS),
        required=("event_key",),
    ),
    _CallKind(
        "Identify",
        "identify",
        tracking_pb2.IdentifyRequest,
        tracking_pb2.IdentifyResponse,
        maps=("traits", *_COMMON_MAPS),
    ),
    _CallKind(
        "Page",
        "page",
        tracking_pb2.PageRequest,
        tracking_pb2.PageResponse,
        maps=("properties", *_COMMON_MAPS),
        texts=("name", "category"),
    ),
    _CallKind(
        "Screen",
        "screen",
        tracking_pb2.ScreenRequest,
        tracking_pb2.ScreenResponse,
        maps=("properties", *_COMMON_MAPS),
        texts=("name", "category"),
    ),
    _CallKind(
        "Group",
        "group",
        tracking_pb2.GroupRequest,
        tracking_pb2.GroupResponse,
        maps=("traits", *_COMMON_MAPS),
        required=("group_id",),
    ),
    _CallKind(
        "Alias",
        "alias",
        tracking_pb2.AliasRequest,
        tracking_pb2.AliasResponse,
        maps=_COMMON_MAPS,
        required=("previous_id", "user_id"),
    ),
)


class TrackingHandlers:
    """Handlers of the service over one tracker."""

    def __init__(self, tracker: Tracker, delivery: Delivery, clock: Clock, ids: Ids) -> None:
        self._tracker, self._delivery = tracker, delivery
        self._clock, self._ids = clock, ids

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        table: dict[str, Method] = {SERVICE + kind.method: Unary(self._handler(kind)) for kind in _CALLS}
        table[SERVICE + "Flush"] = Unary(self.flush)
        return table

    async def flush(self, request: bytes, call: Call) -> bytes:
        """`Flush`: everything accepted before it is delivered when this returns, or the reply says what is left."""
        violations = Violations()
        message = parse(tracking_pb2.FlushRequest, request, violations)
        timeout_s = message.timeout.ToTimedelta().total_seconds() if message.HasField("timeout") else None
        if timeout_s is not None and timeout_s < 0:
            violations.add("timeout", f"is {timeout_s} s, wanted 0 or more")
        violations.raise_if_any()
        self._tracker.project(message.datafile)
        left = await self._delivery.flush(_flush_time_s(timeout_s, call.time_remaining_s()))
        remainders = [
            tracking_pb2.FlushRemainder(
                destination=name, events=events, pause_reason=self._delivery.statuses[name].pause_reason
            )
            for name, events in left.items()
        ]
        return tracking_pb2.FlushResponse(remainders=remainders).SerializeToString()

    def _handler(self, kind: _CallKind) -> Callable[[bytes, Call], Awaitable[bytes]]:
        tag = kind.tag

        def handle(request: bytes, call: Call) -> Awaitable[bytes]:
            return self._accept(kind, tag, request)

        return handle

    async def _accept(self, kind: _CallKind, tag: bytes, request: bytes) -> bytes:
        violations = Violations()
        message = parse(kind.request, request, violations)
        _check(kind, message, violations)
        violations.raise_if_any()
        project = self._tracker.project(message.datafile)
        now_ms = self._clock.now_ms()
        event_id = message.event_id or self._ids.new()
        event = event_of(kind.field, message, event_id, now_ms, project.name)
        body = answers.stored_record(tag, request, event_id, now_ms, project.name)
        accepted = await self._tracker.accept(event, body, project, id_chosen=bool(message.event_id))
        reply: Message = kind.response(event_id=event_id, outcomes=_outcomes(accepted.outcomes))
        return reply.SerializeToString()


def _flush_time_s(asked_s: float | None, remaining_s: float | None) -> float:
    """How long to wait: what was asked, but so that the answer is back before the caller's deadline."""
    waits = [limits.FLUSH_MAX_S]
    if asked_s is not None:
        waits.append(asked_s)
    if remaining_s is not None:
        waits.append(max(0.0, remaining_s - limits.FLUSH_REPLY_RESERVE_S))
    return min(waits)


def _check(kind: _CallKind, message: TrackingRequest, violations: Violations) -> None:
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
    for name in kind.maps:
        mapping(getattr(message, name), name, violations)
    if message.HasField("timestamp"):
        _check_timestamp(message.timestamp, violations)
    if isinstance(message, tracking_pb2.TrackRequest) and message.HasField("revenue"):
        check_money(message.revenue, "revenue", violations)


def _check_timestamp(timestamp: Timestamp, violations: Violations) -> None:
    """The range of the well-known type: years 1 to 9999, and nanoseconds within a second."""
    try:
        timestamp.ToDatetime()
    except (ValueError, OverflowError):
        violations.add("timestamp", f"is {timestamp.seconds} s, wanted a time between the years 1 and 9999")


def _outcomes(outcomes: Sequence[Outcome]) -> list[event_pb2.Outcome]:
    return [
        event_pb2.Outcome(destination=outcome.destination, state=_STATES[outcome.state], reason=outcome.reason)
        for outcome in outcomes
    ]
