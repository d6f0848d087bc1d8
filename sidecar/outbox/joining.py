"""Records that share a row: gathered one after the other, and the row that they make, which costs the same as of one.

Pure. What shares: records one after the other whose bodies may be joined (`ports.Record.joins`), of the same facts,
each event of which goes to the same destinations. Why not more: a row is read, and kept while one of its events is, as
a whole. Why while they are gathered: joined there, a hundred records cost the writer's thread as much as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from sidecar.errors import OutboxFull
from sidecar.limits import EVENT_OVERHEAD_BYTES, JOINED_BYTES_MAX, JOINED_EVENTS_MAX
from sidecar.outbox.rows import Target, event_bytes, pack_routes
from sidecar.ports import Entries, Record, Routes, Written
from sidecar.values import Outcome

Columns: TypeAlias = tuple[int, int, int, bytes, bytes]
"""facts_id, received_ms, event_count, routes, body."""

_ROUTES_KEPT: Final = 1024


class Bundle:
    """Records that will share a row, in the order given, and who waits for which of them."""

    __slots__ = (
        "_destinations",
        "_each",
        "_facts",
        "_routes",
        "appended_bytes",
        "body_bytes",
        "event_count",
        "identified",
        "records",
        "waiting",
    )

    def __init__(self, record: Record) -> None:
        """A bundle of one, which others may join when `record.joins` and each of its events goes everywhere it does."""
        self.records = [record]
        self.waiting: list[tuple[int, Written]] = []
        """Who waits, by the place of the record."""
        self.body_bytes, self.event_count = len(record.body), record.event_count
        self.identified = bool(record.event_ids)
        """Whether a caller chose the id of an event of it."""
        self.appended_bytes = 0
        """What those that are waited for count until they are answered."""
        self._facts = record.facts
        self._routes, self._each = record.routes if record.joins else None, record.event_count
        self._destinations = destinations_of_all(record.routes, record.event_count) if record.joins else None

    def takes(self, record: Record) -> bool:
        """Whether a record shares the row; it does from now on."""
        count = record.event_count
        # Why identity first: who makes many records keeps the facts and the routes of each sort. Why the count: the
        # same routes are all of one event, and not all of two.
        alike = record.routes is self._routes and record.facts is self._facts and count == self._each and record.joins
        if not (alike or self._goes_where(record)):
            return False
        events, size = self.event_count + count, self.body_bytes + len(record.body)
        if events > JOINED_EVENTS_MAX or size > JOINED_BYTES_MAX:
            return False
        self.event_count, self.body_bytes = events, size
        if record.event_ids:
            self.identified = True
        self.records.append(record)
        return True

    @property
    def offered_bytes(self) -> int:
        """What those that nobody waits for count until they are committed."""
        return self.body_bytes + len(self.records) * EVENT_OVERHEAD_BYTES - self.appended_bytes

    def joined(self) -> Record:
        """All of them as one record."""
        records = self.records
        if len(records) == 1:
            return records[0]
        first, identified = records[0], self.identified
        assert self._destinations is not None, "nothing joins a record that does not go one way"
        return Record(
            b"".join([record.body for record in records]),
            first.facts,
            routes_of_all(self._destinations, self.event_count),
            self.event_count,
            first.received_ms,
            tuple(chain.from_iterable(map(_ids, records))) if identified else (),
            tuple(chain.from_iterable(map(_outcomes, records))) if identified else (),
        )

    def apart(self, answer: Entries | OutboxFull) -> Sequence[Entries | OutboxFull]:
        """What each record is answered, by what all of them as one are; nothing where nobody waits."""
        if not self.waiting:
            return ()
        count = len(self.records)
        if isinstance(answer, OutboxFull) or count == 1:
            return [answer] * count
        # Why not `any`: what a repeat is answered is an entry, empty or not.
        if self.event_count == count == answer.count(None):
            return [(None,)] * count
        entries: list[Entries] = []
        at = 0
        for record in self.records:
            entries.append(answer[at : at + record.event_count])
            at += record.event_count
        return entries

    def _goes_where(self, record: Record) -> bool:
        """Whether each of its events goes where those before it go; what it goes by is kept for the next."""
        if self._destinations is None or not record.joins or record.facts != self._facts:
            return False
        if destinations_of_all(record.routes, record.event_count) != self._destinations:
            return False
        self._routes, self._each = record.routes, record.event_count
        return True


class Group(NamedTuple):
    """Records that are taken all or none; their answers are one, in order."""

    records: tuple[Record, ...]
    written: Written

    @property
    def identified(self) -> bool:
        """Whether a caller chose the id of an event of it."""
        return any(record.event_ids for record in self.records)

    @property
    def body_bytes(self) -> int:
        """What their bodies take."""
        return sum(len(record.body) for record in self.records)

    @property
    def event_count(self) -> int:
        """How many events they hold."""
        return sum(record.event_count for record in self.records)

    @property
    def appended_bytes(self) -> int:
        """What it counts until it is answered."""
        return self.body_bytes + EVENT_OVERHEAD_BYTES


class Plan(NamedTuple):
    """Routes by destination id, and as they are stored."""

    packed: bytes
    targets: tuple[Target, ...]


class Row(NamedTuple):
    """One row to be."""

    record: Record
    plan: Plan
    facts_id: int

    @property
    def event_bytes(self) -> int:
        """The stored size of each of its events."""
        return event_bytes(len(self.record.body), self.record.event_count)

    def columns(self) -> Columns:
        """The row as it is inserted."""
        record = self.record
        return self.facts_id, record.received_ms, record.event_count, self.plan.packed, record.body


def plan_of(targets: Sequence[Target]) -> Plan:
    """The plan of these targets."""
    return Plan(pack_routes(targets), tuple(targets))


@lru_cache(maxsize=_ROUTES_KEPT)
def destinations_of_all(routes: Routes, event_count: int) -> tuple[str, ...] | None:
    """The destinations that get any of so many events; None when one gets some of them and not all."""
    every = (1 << event_count) - 1
    some = tuple((name, mask) for name, mask in routes if mask)
    return None if any(mask != every for _, mask in some) else tuple(name for name, _ in some)


@lru_cache(maxsize=_ROUTES_KEPT)
def routes_of_all(destinations: tuple[str, ...], event_count: int) -> Routes:
    """The routes of so many events, each of which goes to all of these."""
    every = (1 << event_count) - 1
    return tuple((name, every) for name in destinations)


def _ids(record: Record) -> Iterable[str]:
    return record.event_ids or ("",) * record.event_count


def _outcomes(record: Record) -> Iterable[tuple[Outcome, ...]]:
    return record.outcomes or ((),) * record.event_count
