"""How records enter: repeats, room, rows. One call per commit, for all records that were gathered for it.

Runs inside a transaction of `store`. The first body of an id wins, within a batch and within a record too. A
record is refused only when none of its destinations has room; where one has, the others make room by letting
their oldest leave.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from sidecar.errors import OutboxFull
from sidecar.limits import OUTBOX_RETRY_AFTER_S
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.ledger import LAST_INDEX, Ledger
from sidecar.outbox.queue import Queue
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import (
    Target,
    digest_of,
    event_bytes,
    pack_routes,
    statement_chunks,
    values_sql,
)
from sidecar.ports import Cursor, Record, Routes
from sidecar.values import Outcome

Accepted: TypeAlias = Sequence[tuple[Outcome, ...] | None]
"""What `Outbox.append` returns."""

_Outcomes: TypeAlias = dict[bytes, tuple[Outcome, ...]]
"""By the digest of the caller's id."""

_Plan: TypeAlias = tuple[bytes, tuple[Target, ...]]
_Row: TypeAlias = tuple[int, int, int, bytes, bytes]

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
        self._plans: dict[Routes, _Plan] = {}

    def forget_plans(self) -> None:
        """After a failed transaction: a destination may have lost the id that it was given in it."""
        self._plans.clear()

    def take(self, records: Sequence[Record], now_ms: int) -> list[Accepted | OutboxFull]:
        """Write records in order; one answer each: what `append` returns, or the error that it raises."""
        digests = {event_id: digest_of(event_id) for record in records for event_id in record.event_ids if event_id}
        known = self._known(list(digests.values()), now_ms)
        fresh: _Outcomes = {}
        rows: list[_Row] = []
        answers: list[Accepted | OutboxFull] = []
        for record in records:
            if record.event_ids:
                answers.append(self._take_identified(record, digests, (known, fresh), rows))
            else:
                full = self._take_one(record, record.routes, rows)
                answers.append(full or _QUEUED * record.event_count)
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
        self, record: Record, digests: Mapping[str, bytes], seen: tuple[_Outcomes, _Outcomes], rows: list[_Row]
    ) -> Accepted | OutboxFull:
        """`seen` = what is remembered, and what this batch brought so far: the second grows."""
        known, fresh = seen
        answer: list[tuple[Outcome, ...] | None] = []
        mine: _Outcomes = {}
        repeated = 0
        for index, event_id in enumerate(record.event_ids):
            first = None
            if event_id:
                digest = digests[event_id]
                first = next((some[digest] for some in (known, fresh, mine) if digest in some), None)
                if first is None:
                    mine[digest] = record.outcomes[index] if record.outcomes else ()
                else:
                    repeated |= 1 << index
            answer.append(first)
        routes = record.routes
        if repeated:
            routes = tuple((name, mask & ~repeated) for name, mask in routes)
        full = self._take_one(record, routes, rows)
        if full is None:
            fresh.update(mine)
        return full or answer

    def _take_one(self, record: Record, routes: Routes, rows: list[_Row]) -> OutboxFull | None:
        """Count a record and add its row, unless none of its destinations has room."""
        routes_packed, targets = self._plans.get(routes) or self._plan(routes)
        if not targets:
            return None
        accounts = self._ledger.by_id
        size = event_bytes(len(record.body), record.event_count)
        for target in targets:
            account = accounts[target.destination_id]
            if account.pending_bytes + size * target.events <= account.bounds.bytes_max:
                break
        else:
            limit_bytes = max(accounts[target.destination_id].bounds.bytes_max for target in targets)
            return OutboxFull(limit_bytes=limit_bytes, retry_after_s=OUTBOX_RETRY_AFTER_S)
        for target in targets:
            account = accounts[target.destination_id]
            if not account.pending:
                # Why: it needs nothing of what is there, so its next scan may start here.
                account.cursor = Cursor(self._ledger.last_record_id + len(rows), LAST_INDEX)
            account.accepted += target.events
            account.pending += target.events
            account.pending_bytes += size * target.events
            account.changed = True
        facts_id = self._facts.id_of(record.facts)
        rows.append((facts_id, record.received_ms, record.event_count, routes_packed, record.body))
        return None

    def _plan(self, routes: Routes) -> _Plan:
        """Routes by destination id; the routes of a datafile are few, so they are kept."""
        targets = tuple(
            Target(self._ledger.register(name).destination_id, mask, mask.bit_count()) for name, mask in routes if mask
        )
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[routes] = (pack_routes(targets), targets)
        return plan

    def _insert(self, rows: Sequence[_Row]) -> None:
        for chunk in statement_chunks(rows):
            parameters: list[object] = []
            for row in chunk:
                parameters += row
            inserted = self._connection.execute(values_sql(_INSERT, 5, len(chunk)), parameters)
            self._ledger.last_record_id += len(chunk)
            assert inserted.lastrowid == self._ledger.last_record_id, "one writer: ids have no gaps"
