"""What the outbox counts, per destination: the mirror in memory of `destinations`, `counters` and `cursors`.

Changed in memory, written with `flush` in the transaction that changed what they count, read again with
`load` after a transaction failed. So they are right at all times, and never ahead of the disk between two
transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from sidecar.limits import DEAD_LETTER_BYTES_MAX, OUTBOX_BYTES_MAX
from sidecar.outbox.rows import pack_id, statement_chunks, values_sql
from sidecar.ports import START, Cursor, DestinationCounts

_COUNTERS: Final = "INSERT OR REPLACE INTO counters (destination_id, name, reason, value)"
_CURSORS: Final = "INSERT OR REPLACE INTO cursors (destination_id, record_id, event_index)"
LAST_INDEX: Final = 2**31
"""An event index behind every event of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationBounds:
    """How much one destination may hold, in stored bytes: pending, and as dead letters."""

    bytes_max: int = OUTBOX_BYTES_MAX
    dead_letter_bytes_max: int = DEAD_LETTER_BYTES_MAX


DEFAULT_BOUNDS: Final = DestinationBounds()


@dataclass(slots=True, kw_only=True)
class Account:
    """The counts of one destination and its place in the queue: what is up to `cursor` is behind it.

    Whoever changes one sets `changed`, so that the next `Ledger.flush` writes it.
    """

    destination_id: int
    name: str
    bounds: DestinationBounds
    configured: bool
    packed_id: bytes
    accepted: int = 0
    delivered: int = 0
    pending: int = 0
    pending_bytes: int = 0
    dead: int = 0
    dead_bytes: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    cursor: Cursor = START
    changed: bool = False
    _flushed: dict[tuple[str, str], int] = field(default_factory=dict)
    """The rows of `counters` as they are on disk, or in the transaction that runs."""
    _flushed_cursor: Cursor | None = None

    def counts(self, oldest_pending_ms: int) -> DestinationCounts:
        """A frozen copy."""
        return DestinationCounts(
            destination=self.name,
            accepted=self.accepted,
            delivered=self.delivered,
            pending=self.pending,
            pending_bytes=self.pending_bytes,
            dead=self.dead,
            dead_bytes=self.dead_bytes,
            dropped=dict(self.dropped),
            oldest_pending_ms=oldest_pending_ms,
        )

    def read(self, name: str, reason: str, value: int) -> None:
        """Take one row of `counters`."""
        self._flushed[name, reason] = value
        if name == "dropped":
            self.dropped[reason] = value
        else:
            setattr(self, name, value)

    def read_cursor(self, cursor: Cursor) -> None:
        """Take its row of `cursors`."""
        self.cursor = self._flushed_cursor = cursor

    def counters(self) -> dict[tuple[str, str], int]:
        """What `counters` holds of it, by (name, reason)."""
        counters = {
            ("accepted", ""): self.accepted,
            ("delivered", ""): self.delivered,
            ("pending", ""): self.pending,
            ("pending_bytes", ""): self.pending_bytes,
            ("dead", ""): self.dead,
            ("dead_bytes", ""): self.dead_bytes,
        }
        for reason, events in self.dropped.items():
            counters["dropped", reason] = events
        return counters

    def counter_rows(self) -> list[tuple[int, str, str, int]]:
        """The rows of `counters` that are not on disk; they are from now on."""
        flushed, now = self._flushed, self.counters()
        self._flushed = now
        return [(self.destination_id, *key, value) for key, value in now.items() if flushed.get(key) != value]

    def cursor_row(self) -> tuple[int, int, int] | None:
        """Its row of `cursors`, None when that is on disk; it is from now on."""
        if self.cursor == self._flushed_cursor:
            return None
        self._flushed_cursor = self.cursor
        return self.destination_id, *self.cursor


class Ledger:
    """All accounts, by id and by name, and the id of the newest record."""

    def __init__(self, connection: sqlite3.Connection, bounds: Mapping[str, DestinationBounds]) -> None:
        self._connection = connection
        self._bounds = bounds
        self.last_record_id = 0
        self.by_id: dict[int, Account] = {}
        self.by_name: dict[str, Account] = {}

    def load(self) -> None:
        """Read everything; what was changed and not flushed is forgotten."""
        self.by_id.clear()
        self.by_name.clear()
        sequence = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
        self.last_record_id = sequence[0] if sequence else 0
        for destination_id, name in self._connection.execute("SELECT destination_id, name FROM destinations"):
            self._enter(destination_id, name)
        for destination_id, name, reason, value in self._connection.execute("SELECT * FROM counters"):
            self.by_id[destination_id].read(name, reason, value)
        for destination_id, record_id, index in self._connection.execute("SELECT * FROM cursors"):
            self.by_id[destination_id].read_cursor(Cursor(record_id, index))

    def register(self, name: str) -> Account:
        """The account of a destination; a name not seen before starts at the end of the queue."""
        account = self.by_name.get(name)
        if account is None:
            inserted = self._connection.execute("INSERT INTO destinations (name) VALUES (?)", (name,))
            assert inserted.lastrowid is not None
            account = self._enter(inserted.lastrowid, name)
            account.cursor = Cursor(self.last_record_id, LAST_INDEX)
            account.changed = True
        return account

    def rename(self, former: str, name: str) -> bool:
        """Let the account of one name go on under another that nobody has had; whether it did."""
        account = self.by_name.get(former)
        if account is None or name in self.by_name:
            return False
        self._connection.execute(
            "UPDATE destinations SET name = ? WHERE destination_id = ?", (name, account.destination_id)
        )
        del self.by_name[former]
        account.name, self.by_name[name] = name, account
        account.bounds, account.configured = self._bounds.get(name, DEFAULT_BOUNDS), name in self._bounds
        return True

    def _enter(self, destination_id: int, name: str) -> Account:
        account = Account(
            destination_id=destination_id,
            name=name,
            bounds=self._bounds.get(name, DEFAULT_BOUNDS),
            configured=name in self._bounds,
            packed_id=pack_id(destination_id),
        )
        self.by_id[destination_id] = self.by_name[name] = account
        return account

    def flush(self) -> None:
        """Write what changed; part of the transaction that changed it."""
        changed = [account for account in self.by_id.values() if account.changed]
        if not changed:
            return
        self._write(_COUNTERS, 4, [row for account in changed for row in account.counter_rows()])
        self._write(_CURSORS, 3, [row for account in changed if (row := account.cursor_row()) is not None])
        for account in changed:
            account.changed = False

    def _write(self, head: str, columns: int, rows: Sequence[tuple[int | str, ...]]) -> None:
        for chunk in statement_chunks(rows):
            self._connection.execute(values_sql(head, columns, len(chunk)), list(chain.from_iterable(chunk)))
