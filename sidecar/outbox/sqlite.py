"""`SqliteOutbox`: the port `Outbox` over one SQLite file. A façade: each method is a command to the writer.

How work reaches the disk is in `writer`, what it does there in `store`. Why SQLite, and what it promises:
docs/decisions/0010-outbox.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from sidecar.limits import OUTBOX_STEP_EVENTS
from sidecar.outbox.ledger import DestinationBounds
from sidecar.outbox.rows import chunks
from sidecar.outbox.schema import FILE_NAME, Durability
from sidecar.outbox.store import Opening, Store
from sidecar.outbox.writer import OutboxStats, Writer
from sidecar.ports import Clock, Cursor, DeadLetter, DestinationCounts, Entries, Record, Settled, StoredRecord, Written

Answer = TypeVar("Answer")


class SqliteOutbox:
    """A durable queue with one cursor per destination; `ports.Outbox` says what each method promises.

    Made by `open`, on the event loop that uses it, and nowhere else. A method called after `close` raises
    `OutboxUnwritable`; so does a write that the disk refuses, and a read that it fails.
    """

    def __init__(
        self,
        directory: Path,
        *,
        durability: Durability,
        destinations: Mapping[str, DestinationBounds],
        clock: Clock,
        former_names: Mapping[str, str] | None = None,
    ) -> None:
        self._pending: Mapping[str, int] = {}
        kept = durability is not Durability.MEMORY
        self._files = [directory / (FILE_NAME + suffix) for suffix in ("", "-wal")] if kept else []
        self._arrivals: dict[str, asyncio.Event] = {}
        opening = Opening(
            directory=directory,
            durability=durability,
            destinations=dict(destinations),
            former_names=dict(former_names or {}),
            clock=clock,
        )
        self._writer = Writer(partial(Store.open, opening), self._note_pending)
        # Why not methods that pass on: each call pays for the step.
        self.offer: Callable[[Record], bool] = self._writer.offer
        """`Outbox.offer`; a refusal is counted in `stats.offered_refused`."""
        self.append: Callable[[Record], Written] = self._writer.append
        """`Outbox.append`. Whoever stops waiting may find it accepted all the same."""

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        durability: Durability,
        destinations: Mapping[str, DestinationBounds],
        clock: Clock,
        former_names: Mapping[str, str] | None = None,
    ) -> SqliteOutbox:
        """Open `outbox.db` in an existing directory (for `memory`, nowhere), or make it.

        `destinations` are the configured ones: a new one starts at the end of the queue; what is pending for
        one that is gone becomes dead letters (DESTINATION_REMOVED), unless `former_names` gives it another:
        then all that it has goes on under that. What can be read of a damaged file goes into a fresh one.
        Raises `OutboxSchemaNewer`, `OutboxUnopened`.
        """
        outbox = cls(
            directory, durability=durability, destinations=destinations, clock=clock, former_names=former_names
        )
        await outbox._writer.start()
        return outbox

    @property
    def stats(self) -> OutboxStats:
        """Commits, refused offers, and whether the disk takes writes."""
        return self._writer.stats

    @property
    def writable(self) -> bool:
        """False from a commit that failed to the next that succeeds."""
        return self._writer.stats.writable

    def disk_bytes(self) -> int:
        """What the file and its log take on disk; 0 when nothing is kept there."""
        return sum(path.stat().st_size for path in self._files if path.exists())

    async def append_together(self, records: Sequence[Record]) -> Entries:
        """`Outbox.append_together`. Cancelled, they may have been accepted all the same."""
        return await self._writer.append_together(records)

    async def arrival(self, destination: str) -> None:
        """`Outbox.arrival`."""
        if self._pending.get(destination, 0):
            return
        arrived = self._arrivals.setdefault(destination, asyncio.Event())
        await arrived.wait()

    def pending(self, destination: str) -> int:
        """`Outbox.pending`."""
        return self._pending.get(destination, 0)

    async def read(self, destination: str, after: Cursor | None, events_max: int) -> Sequence[StoredRecord]:
        """`Outbox.read`; ends early when the bodies reach `READ_BYTES_MAX`."""
        return await self._read(lambda store: store.read(destination, after, events_max))

    async def settle(self, destination: str, settled: Sequence[Settled]) -> None:
        """`Outbox.settle`; raises `ValueError` when an older pending event is not among them."""
        await self._write(lambda store: store.settle(destination, settled))

    async def expire(self, destination: str, before_ms: int) -> int:
        """`Outbox.expire`; a requeued event's age counts from then."""
        return await self._in_steps(lambda store: store.expire(destination, before_ms))

    async def position(self) -> int:
        """`Outbox.position`."""
        return await self._read(Store.position)

    async def left(self, destination: str, through: int) -> int:
        """`Outbox.left`."""
        return await self._read(lambda store: store.left(destination, through))

    async def counts(self) -> Sequence[DestinationCounts]:
        """`Outbox.counts`."""
        return await self._read(Store.counts)

    async def dead_letters(self, destination: str, after: int, limit: int) -> Sequence[DeadLetter]:
        """`Outbox.dead_letters`; ends early when the bodies reach `READ_BYTES_MAX`."""
        return await self._read(lambda store: store.dead_letters(destination, after, limit))

    async def requeue(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        """`Outbox.requeue`; stops at the destination's bound. 0 for one that is not configured."""
        through = await self._read(Store.newest_dead_letter)
        return await self._per_step(dead_ids, lambda ids: lambda store: store.requeue(destination, ids, through))

    async def purge(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        """`Outbox.purge`."""
        through = await self._read(Store.newest_dead_letter)
        return await self._per_step(dead_ids, lambda ids: lambda store: store.purge(destination, ids, through))

    async def close(self) -> None:
        """`Outbox.close`."""
        await self._writer.close()

    async def _read(self, act: Callable[[Store], Answer]) -> Answer:
        answer: Answer = await self._writer.command(act, writes=False)
        return answer

    async def _write(self, act: Callable[[Store], Answer]) -> Answer:
        answer: Answer = await self._writer.command(act, writes=True)
        return answer

    async def _in_steps(self, step: Callable[[Store], int]) -> int:
        """The sum of a step repeated until it has nothing to do; other work gets its turn in between."""
        total = 0
        while done := await self._write(step):
            total += done
        return total

    async def _per_step(
        self,
        dead_ids: Sequence[int] | None,
        step_of: Callable[[Sequence[int] | None], Callable[[Store], int]],
    ) -> int:
        if dead_ids is None:
            return await self._in_steps(step_of(None))
        total = 0
        for ids in chunks(dead_ids, OUTBOX_STEP_EVENTS):
            total += await self._write(step_of(ids))
        return total

    def _note_pending(self, pending: Mapping[str, int]) -> None:
        self._pending = pending
        for destination, arrived in self._arrivals.items():
            if pending.get(destination, 0):
                arrived.set()
            else:
                arrived.clear()
