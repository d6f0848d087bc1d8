"""`TrackingService`: the six calls. `Import` and `ImportStream` are in `importing`, `Flush` is in `flush`.

One shape serves all six: parse, collect every violation, stamp id and time, accept, answer when it is on disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Final

from sidecar.events.model import Event
from sidecar.ports import Clock, Entries, Ids
from sidecar.rpc import answers, wire
from sidecar.rpc.calls import CALLS, TRACK, CallKind, check
from sidecar.rpc.methods import Call, Later, Method, Unary, UnaryHandler
from sidecar.rpc.outcomes import tracked
from sidecar.rpc.plain import (
    ANONYMOUS_ID,
    EVENT_ID,
    EVENT_KEY,
    PLAIN_BYTES_MAX,
    USER_ID,
    MakesReader,
    never,
    plain_track,
    track_reader,
)
from sidecar.rpc.records import Stamp, event_of
from sidecar.rpc.requests import Violations, parse
from sidecar.tracker import Accepted, Accepting, Project, Tracker

SERVICE: Final = "/sidecar.v1.TrackingService/"

_TRACK_HEAD: Final = TRACK.head
_TRACK_MAPS: Final = TRACK.maps


class TrackingHandlers:
    """Handlers of the service over one tracker."""

    def __init__(
        self,
        tracker: Tracker,
        clock: Clock,
        ids: Ids,
        makes_reader: MakesReader | None = None,
    ) -> None:
        """`makes_reader` is of plain requests, None where there is none."""
        self._read_track = track_reader(makes_reader) if makes_reader else never
        self._tracker = tracker
        self._clock, self._ids = clock, ids

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        table: dict[str, Method] = {SERVICE + kind.method: Unary(self._handler(kind)) for kind in CALLS}
        table[SERVICE + TRACK.method] = Unary(self.track)
        return table

    def track(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        """`Track`: as its sisters, but most are plain."""
        plain = self._read_track(request) if len(request) <= PLAIN_BYTES_MAX else None
        # Whole is what has a user and an event key.
        if plain is None or not ((plain[USER_ID] or plain[ANONYMOUS_ID]) and plain[EVENT_KEY]):
            return self._accept(TRACK, _TRACK_HEAD, _TRACK_MAPS, request)
        project = self._tracker.project(plain[-1])
        event = plain_track(plain, self._clock.now_ms(), project.name, len(request), self._ids)
        return self._write(_TRACK_HEAD, request, event, project, id_chosen=plain[EVENT_ID] != "")

    def _handler(self, kind: CallKind) -> UnaryHandler:
        head, maps = kind.head, kind.maps

        def handle(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
            return self._accept(kind, head, maps, request)

        return handle

    def _accept(
        self, kind: CallKind, head: wire.Heads, maps_of: Sequence[str], request: bytes
    ) -> bytes | Awaitable[bytes]:
        violations = Violations()
        message = parse(kind.request, request, violations)
        maps = check(kind, maps_of, message, violations)
        violations.raise_if_any()
        project = self._tracker.project(message.datafile)
        now_ms = self._clock.now_ms()
        event_id = message.event_id or self._ids.new()
        event = event_of(kind.field, message, maps, Stamp(now_ms, event_id, project.name, len(request)))
        return self._write(head, request, event, project, id_chosen=bool(message.event_id))

    def _write(
        self, head: wire.Heads, request: bytes, event: Event, project: Project, *, id_chosen: bool
    ) -> bytes | Awaitable[bytes]:
        origin = event.origin
        body = answers.stored_record(head, request, origin.event_id, origin.received_ms, project.name)
        accepting = self._tracker.accept(event, body, project, id_chosen=id_chosen)
        if isinstance(accepting, Accepted):
            return tracked(origin.event_id, accepting.outcomes, exposure_seen=accepting.exposure_seen)
        return Later(accepting.written, partial(self._written, accepting))

    def _written(self, accepting: Accepting, entries: Entries) -> bytes:
        accepted = self._tracker.accepted(accepting, entries)
        return tracked(accepting.event.origin.event_id, accepted.outcomes, exposure_seen=accepted.exposure_seen)
