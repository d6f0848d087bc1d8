"""`TrackingService/Import`: many events at once, all accepted or none; and outcomes as imports answer them.

What is wrong with a message is found in `importing_events`, the stream is in `importing_stream`. Rules: docs/import.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sidecar.importer import Importer
from sidecar.pb import tracking_pb2
from sidecar.ports import Clock, Ids
from sidecar.rpc.importing_events import EventReader
from sidecar.rpc.importing_stream import ImportStream
from sidecar.rpc.methods import Bidirectional, Call, Method, Unary
from sidecar.rpc.outcomes import outcome_message
from sidecar.values import Outcome

SERVICE = "/sidecar.v1.TrackingService/"


class ImportHandlers:
    """Handlers of both methods over one importer."""

    def __init__(self, importer: Importer, clock: Clock, ids: Ids) -> None:
        self._importer = importer
        self._reader = EventReader(importer, clock, ids)

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        stream = ImportStream(self._importer, self._reader)
        return {
            SERVICE + "Import": Unary(self.import_events),
            SERVICE + "ImportStream": Bidirectional(stream.serve),
        }

    async def import_events(self, request: bytes, call: Call) -> bytes:
        """`Import`: the events are on disk when this returns, or none of them is accepted."""
        read = await self._reader.read(tracking_pb2.ImportRequest, request)
        message = read.message
        await self._importer.accept([message])
        reply = tracking_pb2.ImportResponse(
            event_ids=read.event_ids,
            outcomes=(
                tracking_pb2.ImportOutcome(outcome=outcome_message(outcome), event_indexes=places, events=len(places))
                for outcome, places in places_by_outcome(message.outcomes).items()
            ),
            repeated_events=message.repeated,
        )
        return reply.SerializeToString()


def places_by_outcome(outcomes: Iterable[Sequence[Outcome]]) -> Mapping[Outcome, Sequence[int]]:
    """Each different outcome once, and the places of the events that had it, ascending."""
    # Why by identity first: see `importer.tally`.
    shared: dict[int, tuple[Sequence[Outcome], list[int]]] = {}
    for place, one in enumerate(outcomes):
        identity = id(one)
        if identity in shared:
            shared[identity][1].append(place)
        else:
            shared[identity] = (one, [place])
    found: dict[Outcome, list[int]] = {}
    for said, places in shared.values():
        for outcome in said:
            found.setdefault(outcome, []).extend(places)
    return {outcome: sorted(places) for outcome, places in found.items()}
