"""How events leave the queue: delivered, dead, dropped; and how records that nobody needs are deleted.

An event leaves from the front of its destination's queue only, so a cursor says it all. A record is deleted
when the cursor of each destination that it is queued for is past it and no dead letter names it: one
destination that stands still keeps its own records, not those of the others. Everything here runs inside a
transaction of `store`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sidecar.limits import OUTBOX_STEP_EVENTS
from sidecar.outbox.dead import DeadRow, DeadRows
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.ledger import Account, Ledger
from sidecar.outbox.scan import Header, Scan
from sidecar.ports import Cursor, Settled

OVERFLOW = "OVERFLOW"
EXPIRED = "EXPIRED"
DESTINATION_REMOVED = "DESTINATION_REMOVED"
DEAD_LETTERS_FULL = "DEAD_LETTERS_FULL"


class Fate(NamedTuple):
    """Why an event is dead; an empty `reason` = it was delivered."""

    reason: str
    detail: str = ""
    status: int = 0
    attempts: int = 0


class Departure(NamedTuple):
    """One event that leaves the queue of one destination."""

    header: Header
    event_index: int
    fate: Fate


class Queue:
    """The queue of each destination, as seen from its front."""

    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, facts: FactsRows, scan: Scan) -> None:
        self._connection = connection
        self._ledger = ledger
        self._facts = facts
        self._scan = scan
        self._dead = DeadRows(connection)
        self.salvaged = False
        """Whether the file was salvaged while the process ran."""

    def settle(self, account: Account, settled: Sequence[Settled], now_ms: int) -> None:
        """Let the named events leave; those behind the cursor already are passed over.

        Raises `ValueError`, with nothing changed, when an older pending event is not among them.
        """
        ahead = [one for one in settled if one.cursor > account.cursor]
        if not ahead:
            return
        if self.salvaged:
            self._settle_salvaged(account, ahead, now_ms)
            return
        pending = self._front(account, through=ahead[-1].cursor.record_id)
        departures: list[Departure] = []
        for one in ahead:
            header, index = next(pending, (None, 0))
            if header is None or one.cursor != (header.record_id, index):
                expected = "none" if header is None else f"record {header.record_id} event {index}"
                raise ValueError(
                    f"settle of `{account.name}`: got record {one.cursor.record_id} event {one.cursor.event_index},"
                    f" wanted the oldest pending event ({expected}); nothing was settled"
                )
            departures.append(Departure(header, index, _fate(one)))
        self._depart(account, departures, now_ms)

    def _settle_salvaged(self, account: Account, ahead: Sequence[Settled], now_ms: int) -> None:
        """As `settle`, after a file was salvaged under a batch in flight, which knows another queue.

        Of its events some may be gone. What waits before them has left before, or it would not be in flight, and is
        here again because its cursor was lost.
        """
        fates = {one.cursor: _fate(one) for one in ahead}
        departures = []
        for header, index in self._front(account, through=ahead[-1].cursor.record_id):
            cursor = Cursor(header.record_id, index)
            if cursor > ahead[-1].cursor:
                break
            departures.append(Departure(header, index, fates.get(cursor, Fate(""))))
        self._depart(account, departures, now_ms)

    def expire(self, account: Account, before_ms: int, now_ms: int) -> int:
        """One step of the events that were queued before a time; returns how many, 0 = none is left."""
        departures: list[Departure] = []
        for header, index in self._front(account):
            if header.queued_ms >= before_ms or len(departures) == OUTBOX_STEP_EVENTS:
                break
            departures.append(Departure(header, index, Fate(EXPIRED, "older than the bound on age")))
        return self._depart(account, departures, now_ms)

    def retire(self, account: Account, now_ms: int) -> int:
        """One step of what a destination has pending that is no longer configured; returns how many."""
        departures: list[Departure] = []
        for header, index in self._front(account):
            if len(departures) == OUTBOX_STEP_EVENTS:
                break
            departures.append(Departure(header, index, Fate(DESTINATION_REMOVED, "no longer configured")))
        return self._depart(account, departures, now_ms)

    def evict(self, account: Account, now_ms: int) -> None:
        """Let the oldest leave until the destination holds no more than its bound."""
        while (surplus := account.pending_bytes - account.bounds.bytes_max) > 0:
            departures: list[Departure] = []
            for header, index in self._front(account):
                if surplus <= 0 or len(departures) == OUTBOX_STEP_EVENTS:
                    break
                surplus -= header.event_bytes
                departures.append(Departure(header, index, Fate(OVERFLOW, "the destination's bound was reached")))
            self._depart(account, departures, now_ms)

    def _front(self, account: Account, through: int | None = None) -> Iterator[tuple[Header, int]]:
        return (
            (header, index)
            for header, indexes in self._scan.pending(account, account.cursor, through)
            for index in indexes
        )

    def _depart(self, account: Account, departures: Sequence[Departure], now_ms: int) -> int:
        if not departures:
            return 0
        died: list[DeadRow] = []
        for header, index, fate in departures:
            size = header.event_bytes
            account.pending_bytes -= size
            if fate.reason:
                named = (header.record_id, index, fate.reason, fate.detail, fate.status)
                died.append(DeadRow(0, *named, size, now_ms, fate.attempts))
        account.pending -= len(departures)
        account.delivered += len(departures) - len(died)
        account.cursor = Cursor(departures[-1].header.record_id, departures[-1].event_index)
        account.changed = True
        touched = {departure.header.record_id: departure.header for departure in departures}
        if died:
            account.dead += len(died)
            account.dead_bytes += sum(row.bytes for row in died)
            self._dead.insert(account.destination_id, died)
            others = self._bound_dead_letters(account) - touched.keys()
            touched |= {header.record_id: header for header in self._scan.headers_by_id(sorted(others))}
        self._collect(touched.values())
        return len(departures)

    def _bound_dead_letters(self, account: Account) -> set[int]:
        """Drop the oldest until they fit; returns the records that they named."""
        record_ids: set[int] = set()
        while (surplus := account.dead_bytes - account.bounds.dead_letter_bytes_max) > 0:
            rows = []
            for row in self._dead.after(account.destination_id, 0, OUTBOX_STEP_EVENTS):
                if surplus <= 0:
                    break
                surplus -= row.bytes
                rows.append(row)
            self.forget(account, rows, dropped=DEAD_LETTERS_FULL)
            record_ids.update(row.record_id for row in rows)
        return record_ids

    def forget(self, account: Account, rows: Sequence[DeadRow], dropped: str = "") -> None:
        """Delete dead letters, counted as dropped for a reason unless they went back into the queue.

        Their records stay: `collect` follows, once for all.
        """
        self._dead.delete(rows)
        account.dead -= len(rows)
        account.dead_bytes -= sum(row.bytes for row in rows)
        if dropped:
            account.dropped[dropped] = account.dropped.get(dropped, 0) + len(rows)
        account.changed = True

    def collect(self, record_ids: set[int]) -> None:
        """Delete those of these records that nobody needs."""
        self._collect(self._scan.headers_by_id(sorted(record_ids)))

    def _collect(self, headers: Iterable[Header]) -> None:
        passed = {header.record_id: header for header in headers if self._is_passed(header)}
        if passed and any(account.dead for account in self._ledger.by_id.values()):
            for record_id in self._dead.referenced(list(passed)):
                del passed[record_id]
        if not passed:
            return
        gone = self._connection.execute(
            "DELETE FROM records WHERE record_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(passed)),),
        ).rowcount
        assert gone == len(passed), "a header in hand is of a record that is there"
        for header in passed.values():
            self._facts.release(header.facts_id)

    def _is_passed(self, header: Header) -> bool:
        accounts = self._ledger.by_id
        return all(
            # A destination that is not there was never there: its id is a damaged one, and nobody waits.
            target.destination_id not in accounts
            or accounts[target.destination_id].cursor >= (header.record_id, target.mask.bit_length() - 1)
            for target in header.targets
        )


def _fate(settled: Settled) -> Fate:
    return Fate(settled.dead_reason, settled.detail, settled.status, settled.attempts)
