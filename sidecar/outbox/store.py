"""The outbox as plain functions over one connection: transactions, and what each port method does in one.

Used by one thread, the writer's; knows no event loop. What a failed transaction changed in memory is loaded
again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog

from sidecar.errors import OutboxUnopened
from sidecar.outbox.facts import FactsRows
from sidecar.outbox.intake import Answer, Arrival, Intake
from sidecar.outbox.ledger import DestinationBounds, Ledger
from sidecar.outbox.letters import Letters
from sidecar.outbox.opening import is_damage, is_damaged, may_be_damage, open_database, replace
from sidecar.outbox.queue import Queue
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.scan import Scan
from sidecar.outbox.schema import FILE_NAME, Durability
from sidecar.ports import Clock, Cursor, DeadLetter, DestinationCounts, Settled, StoredRecord

Change = TypeVar("Change")

_FREE_PAGES_KEPT: Final = 1024
_VACUUM_PAGES: Final = 256
"""Pages given back to the file system by one transaction, so that no commit waits long for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an outbox is opened with. `destinations` are the configured ones; `former_names` gives the present name."""

    directory: Path
    durability: Durability
    destinations: Mapping[str, DestinationBounds]
    former_names: Mapping[str, str]
    clock: Clock


class Store:
    """The tables and their mirrors in memory."""

    def __init__(self, connection: sqlite3.Connection, opening: Opening) -> None:
        self._connection = connection
        self._opening = opening
        self._bounds = bounds = opening.destinations
        self._clock = opening.clock
        self.salvages = 0
        """Damaged files that were replaced to open this one: 0 or 1."""
        self.damage = ""
        """What showed that the file is damaged; empty while nothing did. Set by whatever failed on the thread."""
        self._loaded = False
        self._pending: dict[str, int] = {}
        self._ledger = Ledger(connection, bounds)
        self._facts = FactsRows(connection)
        self._remembered = RememberedIds(connection)
        self._scan = Scan(connection)
        self._queue = Queue(connection, self._ledger, self._facts, self._scan)
        self._intake = Intake(connection, self._ledger, self._facts, self._remembered, self._queue)
        self._letters = Letters(connection, self._ledger, self._facts, self._scan, self._queue)

    @classmethod
    def open(cls, opening: Opening, *, under_way: bool = False) -> Store:
        """Open the file and take over what an earlier process left, or this one, whose batches are then `under_way`.

        What is pending for destinations that are not configured any more becomes dead letters now, in steps.
        Raises `OutboxSchemaNewer`, `OutboxUnopened`.
        """
        try:
            try:
                store = cls._taken_over(opening, under_way=under_way)
            except Exception as cause:
                # Why any: a look at a large file is a quick one, and what cannot be taken over is damaged.
                if opening.durability is Durability.MEMORY or not may_be_damage(cause):
                    raise
                replace(opening.directory / FILE_NAME, opening.clock.now_ms(), cause)
                store = cls._taken_over(opening, under_way=under_way)
                store.salvages = 1
        except (sqlite3.Error, OSError) as cause:
            raise OutboxUnopened(str(opening.directory), str(cause)) from cause
        return store

    @classmethod
    def _taken_over(cls, opening: Opening, *, under_way: bool) -> Store:
        connection = open_database(opening.directory, opening.durability, opening.clock.now_ms())
        try:
            store = cls(connection, opening)
            store._queue.salvaged = under_way
            # Why now: the first event with an id would wait for it.
            store._remembered.load()
            store.transaction(store._register_configured)
            while store.transaction(store._retire_removed):
                pass
        except BaseException:
            connection.close()
            raise
        return store

    def reopened(self) -> Store:
        """A store over what can be read of this one's damaged file; this one must not be used any more.

        Raises `OutboxUnopened` when that fails, for want of room say: then this one goes on, damaged as it is.
        """
        opening = self._opening
        if opening.durability is Durability.MEMORY:
            raise OutboxUnopened(":memory:", self.damage)
        try:
            # Why open meanwhile: it is not used, and when the salvage fails there is still something that reads.
            replace(opening.directory / FILE_NAME, opening.clock.now_ms(), self.damage)
        except (sqlite3.Error, OSError) as cause:
            raise OutboxUnopened(str(opening.directory), str(cause)) from cause
        with suppress(sqlite3.Error):
            self._connection.close()
        return Store.open(opening, under_way=True)

    def notice(self, error: Exception) -> None:
        """Look whether an error shows damage of the file; one that is not SQLite's may be the trace of it."""
        if is_damage(error) or (not isinstance(error, sqlite3.Error) and is_damaged(self._connection)):
            self.damage = str(error) or type(error).__name__

    def close(self) -> None:
        """Close the connection; SQLite moves the WAL into the file."""
        self._connection.close()

    def transaction(self, change: Callable[[], Change]) -> Change:
        """Run a change in one transaction; when it or the commit raises, nothing of it stays."""
        try:
            if not self._loaded:
                self._load()
            self._connection.execute("BEGIN IMMEDIATE")
            changed = change()
            self._facts.flush()
            self._ledger.flush()
            self._connection.execute("COMMIT")
        except BaseException:
            self._loaded = False
            self._roll_back()
            raise
        return changed

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            # What fails here is tried again by the next read or transaction.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._load()

    def _load(self) -> None:
        self._ledger.load()
        self._facts.load()
        self._remembered.expire_mirror()
        self._intake.forget_plans()
        self._loaded = True

    def _register_configured(self) -> None:
        for former, name in self._opening.former_names.items():
            if self._ledger.rename(former, name):
                structlog.get_logger().info("outbox_destination_renamed", former=former, destination=name)
        for name in self._bounds:
            self._ledger.register(name)

    def _retire_removed(self) -> int:
        removed = [account for account in self._ledger.by_id.values() if not account.configured]
        return sum(self._queue.retire(account, self._clock.now_ms()) for account in removed)

    # --- inside a transaction -------------------------------------------------------------------------------

    def take(self, arrivals: Sequence[Arrival]) -> list[Sequence[Answer]]:
        """Accept records; the answers of each arrival, in order."""
        return self._intake.take(arrivals, self._clock.now_ms())

    def settle(self, destination: str, settled: Sequence[Settled]) -> None:
        """`Outbox.settle`; raises `ValueError` before anything is changed."""
        account = self._ledger.by_name.get(destination)
        if account is not None:
            self._queue.settle(account, settled, self._clock.now_ms())
        elif settled:
            raise ValueError(f"settle: got destination `{destination}`, wanted a known one; nothing was settled")

    def expire(self, destination: str, before_ms: int) -> int:
        """One step of `Outbox.expire`; 0 = done."""
        account = self._ledger.by_name.get(destination)
        return self._queue.expire(account, before_ms, self._clock.now_ms()) if account else 0

    def purge(self, destination: str, dead_ids: Sequence[int] | None, through: int) -> int:
        """One step of `Outbox.purge` among the dead letters up to an id; 0 = done."""
        account = self._ledger.by_name.get(destination)
        return self._letters.purge(account, dead_ids, through) if account else 0

    def requeue(self, destination: str, dead_ids: Sequence[int] | None, through: int) -> int:
        """One step of `Outbox.requeue` up to a dead letter's id; 0 = done, no room, or not configured."""
        account = self._ledger.by_name.get(destination)
        if account is None or not account.configured:
            return 0
        return self._letters.requeue(account, dead_ids, through, self._clock.now_ms())

    # --- between transactions -------------------------------------------------------------------------------

    def pending(self) -> dict[str, int]:
        """Pending events by destination, as of the last commit."""
        if self._loaded:
            self._pending = {account.name: account.pending for account in self._ledger.by_id.values()}
        return self._pending

    def read(self, destination: str, after: Cursor | None, events_max: int) -> list[StoredRecord]:
        """`Outbox.read`."""
        self._reload()
        account = self._ledger.by_name.get(destination)
        if account is None:
            return []
        start = account.cursor if after is None else max(after, account.cursor)
        batch = self._scan.batch(account, start, events_max)
        if not batch and account.pending and start == account.cursor and events_max > 0:
            self.damage = f"{account.pending} pending events of `{account.name}` are not found"
        bodies = self._scan.bodies([header for header, _ in batch])
        return [
            StoredRecord(header.record_id, body, self._facts.body(header.facts_id), indexes, header.received_ms)
            for (header, indexes), body in zip(batch, bodies, strict=True)
        ]

    def position(self) -> int:
        """The id of the newest record."""
        self._reload()
        return self._ledger.last_record_id

    def left(self, destination: str, through: int) -> int:
        """`Outbox.left`."""
        self._reload()
        account = self._ledger.by_name.get(destination)
        if account is None:
            return 0
        if through >= self._ledger.last_record_id:
            return account.pending
        return sum(len(indexes) for _, indexes in self._scan.pending(account, account.cursor, through))

    def counts(self) -> list[DestinationCounts]:
        """`Outbox.counts`."""
        self._reload()
        oldest = ((account, self._scan.oldest(account)) for account in self._ledger.by_id.values())
        return [account.counts(header.received_ms if header else 0) for account, header in oldest]

    def dead_letters(self, destination: str, after: int, limit: int) -> list[DeadLetter]:
        """`Outbox.dead_letters`."""
        self._reload()
        account = self._ledger.by_name.get(destination)
        return self._letters.list(account, after, limit) if account else []

    def newest_dead_letter(self) -> int:
        """The id of the newest dead letter there ever was."""
        return self._letters.newest()

    def give_back(self) -> None:
        """Return free pages to the file system, a few; keeps enough for what arrives next."""
        with suppress(sqlite3.Error):
            # Only space is at stake; whether the disk can be written is for the next commit to say.
            free_pages = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
            if free_pages > _FREE_PAGES_KEPT:
                # Why a script: the pragma frees one page a step, and `execute` takes one step.
                self._connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")

    def _reload(self) -> None:
        if not self._loaded:
            self._load()
