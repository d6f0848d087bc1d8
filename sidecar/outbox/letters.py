"""What an operator does with dead letters: look, put back into the queue, drop. Steps of bounded size.

`requeue` and `purge` run inside a transaction of `store`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from sidecar.limits import OUTBOX_STEP_EVENTS, READ_BYTES_MAX
from sidecar.outbox.dead import DeadRow, DeadRows
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.ledger import LAST_INDEX, Account, Ledger
from sidecar.outbox.queue import Queue
from sidecar.outbox.rows import Target, pack_routes
from sidecar.outbox.scan import Header, Scan
from sidecar.ports import Cursor, DeadLetter, StoredRecord

PURGED: Final = "PURGED"


class Letters:
    """Dead letters with the records that they name."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ledger: Ledger,
        facts: FactsRows,
        scan: Scan,
        queue: Queue,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._facts = facts
        self._scan = scan
        self._dead = DeadRows(connection)
        self._queue = queue

    def newest(self) -> int:
        """The id of the newest dead letter there ever was."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'dead_letters'").fetchone()
        return int(row[0]) if row else 0

    def list(self, account: Account, after: int, limit: int) -> list[DeadLetter]:
        """`Outbox.dead_letters`. Letters of one record share its body, which may be that of a whole import."""
        letters: list[DeadLetter] = []
        records: dict[int, StoredRecord] = {}
        bytes_left = READ_BYTES_MAX
        for row in self._dead.after(account.destination_id, after, limit):
            record = records.get(row.record_id)
            if record is None:
                header = self._scan.headers_by_id([row.record_id])[0]
                bytes_left -= header.size
                if letters and bytes_left < 0:
                    break
                facts, body = self._facts.body(header.facts_id), next(iter(self._scan.bodies([header])))
                record = records[row.record_id] = StoredRecord(row.record_id, body, facts, (), header.received_ms)
            named = record._replace(indexes=(row.event_index,))
            said = (row.reason, row.detail, row.status, row.died_ms, row.attempts)
            letters.append(DeadLetter(row.dead_id, account.name, named, *said))
        return letters

    def purge(self, account: Account, dead_ids: Sequence[int] | None, through: int) -> int:
        """One step of `Outbox.purge` among the dead letters up to an id; 0 = done."""
        rows = self._rows(account, dead_ids, through)
        if rows:
            self._queue.forget(account, rows, dropped=PURGED)
            self._queue.collect({row.record_id for row in rows})
        return len(rows)

    def requeue(self, account: Account, dead_ids: Sequence[int] | None, through: int, now_ms: int) -> int:
        """One step of `Outbox.requeue` among the dead letters up to an id; 0 = done, or no room."""
        room = account.bounds.bytes_max - account.pending_bytes
        rows = []
        by_record: dict[int, list[DeadRow]] = {}
        for row in self._rows(account, dead_ids, through):
            room -= row.bytes
            if room < 0:
                break
            rows.append(row)
            by_record.setdefault(row.record_id, []).append(row)
        if not rows:
            return 0
        headers = {header.record_id: header for header in self._scan.headers_by_id(sorted(by_record))}
        for record_id, dead in by_record.items():
            self._copy(account, headers[record_id], dead, now_ms)
        self._queue.forget(account, rows)
        self._queue.collect(set(by_record))
        return len(rows)

    def _copy(self, account: Account, header: Header, dead: Sequence[DeadRow], now_ms: int) -> None:
        """The record once more, at the end of the queue, for these events and this destination alone."""
        mask = sum(1 << row.event_index for row in dead)
        inserted = self._connection.execute(
            "INSERT INTO records (facts_id, received_ms, requeued_ms, event_count, routes, body)"
            " SELECT facts_id, received_ms, ?, event_count, ?, body FROM records WHERE record_id = ?",
            (now_ms, pack_routes((Target(account.destination_id, mask, len(dead)),)), header.record_id),
        )
        if not account.pending:
            account.cursor = Cursor(self._ledger.last_record_id, LAST_INDEX)
        self._ledger.last_record_id += 1
        assert inserted.lastrowid == self._ledger.last_record_id, "one writer: ids have no gaps"
        self._facts.hold(header.facts_id)
        account.pending += len(dead)
        account.pending_bytes += sum(row.bytes for row in dead)

    def _rows(self, account: Account, dead_ids: Sequence[int] | None, through: int) -> Sequence[DeadRow]:
        if dead_ids is None:
            rows = self._dead.after(account.destination_id, 0, OUTBOX_STEP_EVENTS)
        else:
            rows = self._dead.named(account.destination_id, dead_ids)
        return [row for row in rows if row.dead_id <= through]
