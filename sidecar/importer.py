"""Accepts many events at once: each is judged as the tracker judges one, and all are written or none.

Knows no message and no wire form. Events that are alike are judged once (`EventSort`). What is imported is history: it
is counted as any event is, but it is not told to readers of notifications and says nothing of exposures. Rules:
docs/import.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sidecar.events.model import Event, EventKind
from sidecar.events.wire import sort_bytes_at_most
from sidecar.ports import EventSort, Outbox, Record
from sidecar.telemetry import Telemetry
from sidecar.tracker import Judged, Project, Tracker
from sidecar.values import Outcome


class Gathering:
    """The events of one message that name the same datafile; those that someone takes become one record.

    `historical` keeps them from destinations that want no history.
    """

    __slots__ = ("_alike", "_bit", "_bodies", "_ids", "_masks", "_places", "_tracker", "historical", "project")

    def __init__(self, tracker: Tracker, project: Project, *, historical: bool) -> None:
        self.project, self.historical = project, historical
        self._tracker = tracker
        self._alike: dict[tuple[EventKind, str, int], Judged | None] = {}
        self._bodies: list[bytes] = []
        self._ids: list[str] = []
        self._places: list[int] = []
        self._masks: dict[tuple[str, ...], int] = {}
        self._bit = 1

    def judge_alike(self, kind: EventKind, event_key: str, request_bytes: int) -> Judged | None:
        """Where an event of a sort goes, by the size of its request; None when `judge` must say.

        The event must be of an `EventSort`: without `integrations`, `event_tags` and typed revenue.
        """
        key = (kind, event_key, request_bytes.bit_length())
        try:
            return self._alike[key]
        except KeyError:
            size = sort_bytes_at_most(request_bytes, self.project.name)
            sort = EventSort(kind, event_key, self.historical, size)
            judged = self._alike[key] = self._tracker.judge_alike(sort, self.project)
            return judged

    def judge(self, event: Event) -> Judged:
        """See `Tracker.judge`, which also says what is raised."""
        return self._tracker.judge(event, self.project)

    def take(self, place: int, queued: tuple[str, ...], event_id: str, body: bytes) -> None:
        """Add an event that is queued for these destinations.

        `place` is its index in the message, `event_id` the caller's own or "", `body` its part of a record's.
        """
        self._places.append(place)
        self._ids.append(event_id)
        self._bodies.append(body)
        self._masks[queued] = self._masks.get(queued, 0) | self._bit
        self._bit <<= 1

    def record(self, received_ms: int, outcomes: Sequence[tuple[Outcome, ...]]) -> tuple[Record, Sequence[int]] | None:
        """The record of the events and their places, None when nobody takes any.

        `outcomes` are those of the message.
        """
        if not self._places:
            return None
        routes: dict[str, int] = {}
        for queued, mask in self._masks.items():
            for name in queued:
                routes[name] = routes.get(name, 0) | mask
        chosen = any(self._ids)
        record = Record(
            body=b"".join(self._bodies),
            facts=self.project.encoded,
            routes=tuple((name, routes[name]) for name in self._tracker.names(self.project) if name in routes),
            event_count=len(self._places),
            received_ms=received_ms,
            event_ids=tuple(self._ids) if chosen else (),
            outcomes=tuple(outcomes[place] for place in self._places) if chosen else (),
        )
        self._bodies = [record.body]
        return record, self._places


@dataclass(slots=True, kw_only=True)
class Message:
    """The events of one message, judged and without a violation.

    `outcomes` has an entry for each event, in order. Once accepted, those of a repeat are the first one's, and
    `repeated` counts the repeats.
    """

    gatherings: Sequence[Gathering]
    outcomes: list[tuple[Outcome, ...]]
    received_ms: int
    repeated: int = field(default=0)


class Importer:
    """Writes messages of events through the outbox, and counts what came of them."""

    def __init__(self, tracker: Tracker, outbox: Outbox, telemetry: Telemetry) -> None:
        self._tracker, self._outbox, self._telemetry = tracker, outbox, telemetry

    def gather(self, datafile: str, *, historical: bool) -> Gathering:
        """An empty gathering for the datafile of this name. Raises `DatafileNotFound`."""
        return Gathering(self._tracker, self._tracker.project(datafile), historical=historical)

    async def accept(self, messages: Sequence[Message]) -> None:
        """Write all events of all messages, or none, and return when they are on disk.

        Raises `OutboxFull`, `OutboxUnwritable`.
        """
        records: list[Record] = []
        owners: list[tuple[Message, Sequence[int]]] = []
        for message in messages:
            for gathering in message.gatherings:
                made = gathering.record(message.received_ms, message.outcomes)
                if made is not None:
                    records.append(made[0])
                    owners.append((message, made[1]))
        earlier = await self._outbox.append_together(records) if records else ()
        repeats: dict[int, set[int]] = {}
        at = 0
        for message, places in owners:
            answers = earlier[at : at + len(places)]
            at += len(places)
            if answers.count(None) == len(places):
                continue
            again = repeats.setdefault(id(message), set())
            for place, first in zip(places, answers, strict=True):
                if first is not None:
                    message.outcomes[place] = first
                    again.add(place)
        for message in messages:
            again = repeats.get(id(message), set())
            message.repeated = len(again)
            self._telemetry.events_repeated += len(again)
            self._count(one for place, one in enumerate(message.outcomes) if place not in again)

    def _count(self, outcomes: Iterable[tuple[Outcome, ...]]) -> None:
        for outcome, events in tally(outcomes).items():
            word = outcome.reason.partition(":")[0]
            self._telemetry.events[outcome.destination, outcome.state.value, word] += events


def tally(outcomes: Iterable[tuple[Outcome, ...]]) -> Counter[Outcome]:
    """How many events had each outcome.

    Why by identity first: the events of an import share few tuples, and hashing one for each would cost more than all
    else that is done with it.
    """
    shared: dict[int, tuple[Outcome, ...]] = {}
    times: Counter[int] = Counter()
    for one in outcomes:
        identity = id(one)
        shared[identity] = one
        times[identity] += 1
    counted: Counter[Outcome] = Counter()
    for identity, events in times.items():
        for outcome in shared[identity]:
            counted[outcome] += events
    return counted
