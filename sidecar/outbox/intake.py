"""How records enter: repeats, room, rows. One call per commit, for all records that were gathered for it.

Runs inside a transaction of `store`. The first body of an id wins, within a batch and within a record too. A
record is refused only when none of its destinations has room; where one has, the others make room by letting
their oldest leave. A group is refused whole when one of its records would be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from sidecar.errors import OutboxFull
from sidecar.limits import EVENT_OVERHEAD_BYTES, OUTBOX_RETRY_AFTER_S
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.joining import Plan, Row
from sidecar.outbox.ledger import LAST_INDEX, Ledger
from sidecar.outbox.queue import Queue
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import (
    Target,
    digest_of,
    event_bytes,
    statement_chunks,
    values_sql,
)
from sidecar.ports import Cursor, Record, Routes
from sidecar.values import Outcome

Accepted: TypeAlias = Sequence[tuple[Outcome, ...] | None]
"""What `Outbox.append` returns."""


class Group(NamedTuple):
    """Records that are taken all or none; their answers are one, in order."""

    records: tuple[Record, ...]

    @property
    def body_bytes(self) -> int:
        """What their bodies take."""
        return sum(len(record.body) for record in self.records)


_Outcomes: TypeAlias = dict[bytes, tuple[Outcome, ...]]
"""By the digest of the caller's id."""

_PLANS_KEPT: Final = 1024
_INSERT: Final = "INSERT INTO records (facts_id, received_ms, event_count, routes, body)"
_QUEUED: Final[tuple[None, ...]] = (None,)


class Intake:
    """Takes records into the queue."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ledger: Ledger,
        facts: FactsRows,
        remembered: RememberedIds,
        queue: Queue,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._facts = facts
        self._remembered = remembered
        self._queue = queue
        self._plans: dict[Routes, Plan] = {}
        # Whether the batch in hand fits everywhere.
        self._roomy = False

    def forget_plans(self) -> None:
        """After a failed transaction: a destination may have lost the id that it was given in it."""
        self._plans.clear()

    def take(self, arrivals: Sequence[Record | Group], now_ms: int) -> list[Accepted | OutboxFull]:
        """Write records in order; one answer each: what `append` returns, or the error that it raises."""
        digests = {
            event_id: digest_of(event_id)
            for arrival in arrivals
            for event_id in (arrival.event_ids if type(arrival) is Record else _ids_of(arrival))
            if event_id
        }
        self._roomy = self._have_room(arrivals)
        known = self._known(list(digests.values()), now_ms)
        fresh: _Outcomes = {}
        rows: list[Row] = []
        answers: list[Accepted | OutboxFull] = []
        for arrival in arrivals:
            if isinstance(arrival, Group):
                answers.append(self._take_group(arrival, digests, (known, fresh), rows))
            elif arrival.event_ids:
                answers.append(self._take_identified(arrival, digests, (known, fresh), rows))
            else:
                full = self._take_one(arrival, arrival.routes, rows)
                answers.append(full or _QUEUED * arrival.event_count)
        if self._roomy:
            for number, row in enumerate(rows, 1):
                self._count(row, number)
        self._insert(rows)
        self._remembered.remember(fresh, now_ms)
        for account in self._ledger.by_id.values():
            if account.pending_bytes > account.bounds.bytes_max:
                self._queue.evict(account, now_ms)
        return answers

    def _known(self, digests: Sequence[bytes], now_ms: int) -> _Outcomes:
        if not digests:
            return {}
        self._remembered.prune(now_ms, len(digests))
        return self._remembered.known(digests)

    def _take_identified(
        self, record: Record, digests: Mapping[str, bytes], seen: tuple[_Outcomes, _Outcomes], rows: list[Row]
    ) -> Accepted | OutboxFull:
        """`seen` = what is remembered, and what this batch brought so far: the second grows."""
        answer, mine, routes = _judge(record, digests, seen)
        full = self._take_one(record, routes, rows)
        if full is None:
            seen[1].update(mine)
        return full or answer

    def _take_group(
        self, group: Group, digests: Mapping[str, bytes], seen: tuple[_Outcomes, _Outcomes], rows: list[Row]
    ) -> Accepted | OutboxFull:
        """All records of a group or none: judged first, each behind those before it, and then taken."""
        known, fresh = seen
        mine: _Outcomes = {}
        answers: list[tuple[Outcome, ...] | None] = []
        judged: list[tuple[Record, Plan]] = []
        arriving: dict[int, int] = {}
        for record in group.records:
            answer, new, routes = _judge(record, digests, (known, fresh, mine))
            plan = self._plans.get(routes) or self._plan(routes)
            full = self._full(record, plan, arriving)
            if full is not None:
                return full
            mine.update(new)
            answers += answer
            judged.append((record, plan))
        for record, plan in judged:
            self._enter(record, plan, rows)
        fresh.update(mine)
        return answers

    def _take_one(self, record: Record, routes: Routes, rows: list[Row]) -> OutboxFull | None:
        """Count a record and add its row, unless none of its destinations has room."""
        plan = self._plans.get(routes) or self._plan(routes)
        full = None if self._roomy else self._full(record, plan, {})
        if full is None:
            self._enter(record, plan, rows)
        return full

    def _have_room(self, arrivals: Sequence[Record | Group]) -> bool:
        """Whether every destination has room for all of a batch, so that no record of it need be looked at."""
        more = 0
        for arrival in arrivals:
            for record in arrival.records if isinstance(arrival, Group) else (arrival,):
                # One byte an event more, as `event_bytes` rounds up.
                more += len(record.body) + record.event_count * (EVENT_OVERHEAD_BYTES + 1)
        return all(account.pending_bytes + more <= account.bounds.bytes_max for account in self._ledger.by_id.values())

    def _full(self, record: Record, plan: Plan, arriving: dict[int, int]) -> OutboxFull | None:
        """The refusal of a record that none of its destinations has room for.

        `arriving` = bytes by destination that are to be entered before it: grows by the record's.
        """
        targets = plan.targets
        if not targets:
            return None
        accounts = self._ledger.by_id
        size = event_bytes(len(record.body), record.event_count)
        room = False
        for target in targets:
            account = accounts[target.destination_id]
            more = arriving.get(target.destination_id, 0) + size * target.events
            room = room or account.pending_bytes + more <= account.bounds.bytes_max
            arriving[target.destination_id] = more
        if room:
            return None
        limit_bytes = max(accounts[target.destination_id].bounds.bytes_max for target in targets)
        return OutboxFull(limit_bytes=limit_bytes, retry_after_s=OUTBOX_RETRY_AFTER_S)

    def _enter(self, record: Record, plan: Plan, rows: list[Row]) -> None:
        """Add a record that has room to the last row, or as a row of its own.

        Where the whole batch has room, what is counted is counted once a row, at its end.
        """
        if not plan.targets:
            return
        facts_id = self._facts.id_of(record.facts)
        if self._roomy and rows and rows[-1].joins(record, plan, facts_id):
            return
        self._facts.hold(facts_id)
        row = Row(record, plan, facts_id)
        rows.append(row)
        if not self._roomy:
            self._count(row, len(rows))

    def _count(self, row: Row, number: int) -> None:
        """Count the events of a row, the batch's nth."""
        accounts, size = self._ledger.by_id, row.event_bytes
        for destination_id, events in row.targets():
            account = accounts[destination_id]
            if not account.pending:
                # Why: it needs nothing of what is there, so its next scan may start here.
                account.cursor = Cursor(self._ledger.last_record_id + number - 1, LAST_INDEX)
            account.accepted += events
            account.pending += events
            account.pending_bytes += size * events
            account.changed = True

    def _plan(self, routes: Routes) -> Plan:
        """Routes by destination id; the routes of a datafile are few, so they are kept."""
        targets = tuple(
            Target(self._ledger.register(name).destination_id, mask, mask.bit_count()) for name, mask in routes if mask
        )
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[routes] = Plan.of(targets)
        return plan

    def _insert(self, rows: Sequence[Row]) -> None:
        for chunk in statement_chunks(rows):
            parameters: list[object] = []
            for row in chunk:
                parameters += row.columns()
            inserted = self._connection.execute(values_sql(_INSERT, 5, len(chunk)), parameters)
            self._ledger.last_record_id += len(chunk)
            assert inserted.lastrowid == self._ledger.last_record_id, "one writer: ids have no gaps"


def _ids_of(arrival: Record | Group) -> Iterator[str]:
    records = arrival.records if isinstance(arrival, Group) else (arrival,)
    return chain.from_iterable(record.event_ids for record in records)


def _judge(
    record: Record, digests: Mapping[str, bytes], seen: tuple[_Outcomes, ...]
) -> tuple[list[tuple[Outcome, ...] | None], _Outcomes, Routes]:
    """What each event of a record is answered, the ids that it brings, and its routes without its repeats."""
    if not record.event_ids:
        return list(_QUEUED * record.event_count), {}, record.routes
    outcomes = record.outcomes or ((),) * record.event_count
    # Why first: most records of an import bring nothing but new ids, and 500 of them are judged in a few steps.
    mine = {digests[event_id]: said for event_id, said in zip(record.event_ids, outcomes, strict=True) if event_id}
    if len(mine) == record.event_count and all(some.keys().isdisjoint(mine.keys()) for some in seen):
        return list(_QUEUED * record.event_count), mine, record.routes
    answer: list[tuple[Outcome, ...] | None] = []
    mine = {}
    repeated = 0
    for index, event_id in enumerate(record.event_ids):
        first = None
        if event_id:
            digest = digests[event_id]
            first = next((some[digest] for some in (*seen, mine) if digest in some), None)
            if first is None:
                mine[digest] = outcomes[index]
            else:
                repeated |= 1 << index
        answer.append(first)
    if not repeated:
        return answer, mine, record.routes
    return answer, mine, tuple((name, mask & ~repeated) for name, mask in record.routes)
