"""How records enter: repeats, room, rows. One call per commit, for all records that were gathered for it.

Runs inside a transaction of `store`. The first body of an id wins, within a batch and within a record too. A
record is refused only when none of its destinations has room; where one has, the others make room by letting
their oldest leave. A group is refused whole when one of its records would be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from sidecar.errors import OutboxFull
from sidecar.limits import EVENT_OVERHEAD_BYTES, OUTBOX_RETRY_AFTER_S
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.joining import Bundle, Group, Plan, Row, plan_of
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
from sidecar.ports import Cursor, Entries, Record, Routes
from sidecar.values import Outcome

Arrival: TypeAlias = Bundle | Group
Answer: TypeAlias = Entries | OutboxFull
"""What an append comes to."""

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

    def take(self, arrivals: Sequence[Arrival], now_ms: int) -> list[Sequence[Answer]]:
        """Write records in order; for each arrival the answers: of a group one, of a bundle one a record.

        An answer is what `append` returns, or the error that it raises.
        """
        digests = {
            event_id: digest_of(event_id)
            for arrival in arrivals
            if arrival.identified
            for record in arrival.records
            for event_id in record.event_ids
            if event_id
        }
        self._roomy = self._have_room(arrivals)
        seen = self._known(list(digests.values()), now_ms), _Outcomes()
        rows: list[Row] = []
        answers: list[Sequence[Answer]] = []
        for arrival in arrivals:
            if isinstance(arrival, Group):
                answers.append((self._take_group(arrival, digests, seen, rows),))
            elif self._roomy:
                answers.append(arrival.apart(self._take_one(arrival.joined(), digests, seen, rows)))
            else:
                answers.append([self._take_one(record, digests, seen, rows) for record in arrival.records])
        self._insert(rows)
        self._remembered.remember(seen[1], now_ms)
        for account in self._ledger.by_id.values():
            if account.pending_bytes > account.bounds.bytes_max:
                self._queue.evict(account, now_ms)
        return answers

    def _known(self, digests: Sequence[bytes], now_ms: int) -> _Outcomes:
        if not digests:
            return {}
        self._remembered.prune(now_ms, len(digests))
        return self._remembered.known(digests)

    def _take_group(
        self, group: Group, digests: Mapping[str, bytes], seen: tuple[_Outcomes, _Outcomes], rows: list[Row]
    ) -> Answer:
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

    def _take_one(
        self, record: Record, digests: Mapping[str, bytes], seen: tuple[_Outcomes, _Outcomes], rows: list[Row]
    ) -> Answer:
        """Count a record and add its row, unless none of its destinations has room.

        `seen` = what is remembered, and what this batch brought so far: the second grows.
        """
        answer, mine, routes = _judge(record, digests, seen)
        plan = self._plans.get(routes) or self._plan(routes)
        full = None if self._roomy else self._full(record, plan, {})
        if full is not None:
            return full
        self._enter(record, plan, rows)
        seen[1].update(mine)
        return answer

    def _have_room(self, arrivals: Sequence[Arrival]) -> bool:
        """Whether every destination has room for all of a batch, so that no record of it need be looked at."""
        # One byte an event more, as `event_bytes` rounds up.
        more = sum(one.body_bytes + one.event_count * (EVENT_OVERHEAD_BYTES + 1) for one in arrivals)
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
        """Add the row of a record that has room, and count its events."""
        if not plan.targets:
            return
        facts_id = self._facts.id_of(record.facts)
        self._facts.hold(facts_id)
        row = Row(record, plan, facts_id)
        rows.append(row)
        accounts, size = self._ledger.by_id, row.event_bytes
        for target in plan.targets:
            account = accounts[target.destination_id]
            if not account.pending:
                # Why: it needs nothing of what is there, so its next scan may start here.
                account.cursor = Cursor(self._ledger.last_record_id + len(rows) - 1, LAST_INDEX)
            account.accepted += target.events
            account.pending += target.events
            account.pending_bytes += size * target.events
            account.changed = True

    def _plan(self, routes: Routes) -> Plan:
        """Routes by destination id; the routes of a datafile are few, so they are kept."""
        targets = tuple(
            Target(self._ledger.register(name).destination_id, mask, mask.bit_count()) for name, mask in routes if mask
        )
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[routes] = plan_of(targets)
        return plan

    def _insert(self, rows: Sequence[Row]) -> None:
        for chunk in statement_chunks(rows):
            parameters: list[object] = []
            for row in chunk:
                parameters += row.columns()
            inserted = self._connection.execute(values_sql(_INSERT, 5, len(chunk)), parameters)
            self._ledger.last_record_id += len(chunk)
            assert inserted.lastrowid == self._ledger.last_record_id, "one writer: ids have no gaps"


def _judge(
    record: Record, digests: Mapping[str, bytes], seen: tuple[_Outcomes, ...]
) -> tuple[Entries, _Outcomes, Routes]:
    """What each event of a record is answered, the ids that it brings, and its routes without its repeats."""
    if not record.event_ids:
        return _QUEUED * record.event_count, {}, record.routes
    outcomes = record.outcomes or ((),) * record.event_count
    # Why first: most records of an import bring nothing but new ids, and 500 of them are judged in a few steps.
    mine = {digests[event_id]: said for event_id, said in zip(record.event_ids, outcomes, strict=True) if event_id}
    if len(mine) == record.event_count and all(some.keys().isdisjoint(mine.keys()) for some in seen):
        return _QUEUED * record.event_count, mine, record.routes
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
