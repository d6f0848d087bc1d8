"""`TrackingService`: the six calls and `Flush`. `Import` and `ImportStream` are in `importing`.

One shape serves all six: parse, collect every violation, stamp id and time, accept, answer when it is on disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Final

from sidecar import limits
from sidecar.delivery import Delivery
from sidecar.events.model import Event, Origin, Track
from sidecar.pb import tracking_pb2
from sidecar.ports import Clock, Ids
from sidecar.rpc import answers
from sidecar.rpc.calls import CALLS, TRACK, CallKind, check
from sidecar.rpc.methods import Call, Later, Method, Unary, UnaryHandler
from sidecar.rpc.outcomes import tracked
from sidecar.rpc.plain import MakesReader, never, track_reader
from sidecar.rpc.records import Stamp, event_of
from sidecar.rpc.requests import Violations, parse
from sidecar.tracker import Accepted, Accepting, Project, Tracker
from sidecar.values import Outcome

SERVICE: Final = "/sidecar.v1.TrackingService/"

_TRACK_TAG: Final = TRACK.tag
_DURATION_MAX_S: Final = 315_576_000_000
"""10,000 years: the range of `google.protobuf.Duration`."""


class TrackingHandlers:
    """Handlers of the service over one tracker."""

    def __init__(
        self,
        tracker: Tracker,
        delivery: Delivery,
        clock: Clock,
        ids: Ids,
        makes_reader: MakesReader | None = None,
    ) -> None:
        """`makes_reader` is of plain requests, None where there is none."""
        self._read_track = track_reader(makes_reader) if makes_reader else never
        self._tracker, self._delivery = tracker, delivery
        self._clock, self._ids = clock, ids

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        table: dict[str, Method] = {SERVICE + kind.method: Unary(self._handler(kind)) for kind in CALLS}
        table[SERVICE + TRACK.method] = Unary(self.track)
        table[SERVICE + "Flush"] = Unary(self.flush)
        return table

    async def flush(self, request: bytes, call: Call) -> bytes:
        """`Flush`: everything accepted before it is delivered when this returns, or the reply says what is left."""
        violations = Violations()
        message = parse(tracking_pb2.FlushRequest, request, violations)
        asked = message.timeout
        # Why not ToTimedelta: it fails beyond what Python can say, and so does not say what is wrong.
        timeout_s = asked.seconds + asked.nanos / 1e9 if message.HasField("timeout") else limits.FLUSH_S
        if not 0 <= timeout_s <= _DURATION_MAX_S:
            violations.add("timeout", f"is {timeout_s:g} s, wanted 0 to {_DURATION_MAX_S} s")
        violations.raise_if_any()
        takers = self._tracker.takers(message.datafile)
        left = await self._delivery.flush(_flush_time_s(timeout_s, call.time_remaining_s()), takers)
        remainders = [
            tracking_pb2.FlushRemainder(
                destination=name, events=events, pause_reason=self._delivery.statuses[name].pause_reason
            )
            for name, events in left.items()
        ]
        return tracking_pb2.FlushResponse(remainders=remainders).SerializeToString()

    def track(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        """`Track`: as its sisters, but most are plain."""
        plain = self._read_track(request)
        if plain is None:
            return self._accept(TRACK, TRACK.tag, TRACK.maps, request)
        user_id, anonymous_id, event_key, attributes, event_tags, properties, event_id, time_ms, *rest = plain
        if not event_key or not (user_id or anonymous_id):
            return self._accept(TRACK, TRACK.tag, TRACK.maps, request)
        context, integrations, datafile = rest
        project, now_ms = self._tracker.project(datafile), self._clock.now_ms()
        origin = Origin(
            event_id=event_id or self._ids.new(),
            time_ms=now_ms if time_ms is None else time_ms,
            received_ms=now_ms,
            user_id=user_id,
            anonymous_id=anonymous_id,
            datafile=project.name,
            context=context,
            integrations=integrations,
            request_bytes=len(request),
        )
        event = Track(
            origin=origin,
            event_key=event_key,
            attributes=attributes,
            event_tags=event_tags,
            properties=properties,
        )
        return self._write(_TRACK_TAG, request, event, project, id_chosen=bool(event_id))

    def _handler(self, kind: CallKind) -> UnaryHandler:
        tag, maps = kind.tag, kind.maps

        def handle(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
            return self._accept(kind, tag, maps, request)

        return handle

    def _accept(self, kind: CallKind, tag: bytes, maps_of: Sequence[str], request: bytes) -> bytes | Awaitable[bytes]:
        violations = Violations()
        message = parse(kind.request, request, violations)
        maps = check(kind, maps_of, message, violations)
        violations.raise_if_any()
        project = self._tracker.project(message.datafile)
        now_ms = self._clock.now_ms()
        event_id = message.event_id or self._ids.new()
        event = event_of(kind.field, message, maps, Stamp(now_ms, event_id, project.name, len(request)))
        return self._write(tag, request, event, project, id_chosen=bool(message.event_id))

    def _write(
        self, tag: bytes, request: bytes, event: Event, project: Project, *, id_chosen: bool
    ) -> bytes | Awaitable[bytes]:
        origin = event.origin
        body = answers.stored_record(tag, request, origin.event_id, origin.received_ms, project.name)
        accepting = self._tracker.accept(event, body, project, id_chosen=id_chosen)
        if isinstance(accepting, Accepted):
            return _reply(event, accepting)
        return Later(accepting.written, partial(self._written, accepting))

    def _written(self, accepting: Accepting, entries: Sequence[tuple[Outcome, ...] | None]) -> bytes:
        return _reply(accepting.event, self._tracker.accepted(accepting, entries))


def _reply(event: Event, accepted: Accepted) -> bytes:
    return tracked(event.origin.event_id, accepted.outcomes, exposure_seen=accepted.exposure_seen)


def _flush_time_s(asked_s: float, remaining_s: float | None) -> float:
    """How long to wait: what was asked, but so that the answer is back before the caller's deadline."""
    waits = [limits.FLUSH_MAX_S, asked_s]
    if remaining_s is not None:
        waits.append(max(0.0, remaining_s - limits.FLUSH_REPLY_RESERVE_S))
    return min(waits)
