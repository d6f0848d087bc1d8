"""What the outbox tests put in, and the clock that they turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sidecar.outbox import SqliteOutbox
from sidecar.ports import Cursor, EncodedFacts, Outbox, Record, Settled, StoredRecord
from sidecar.values import Outcome, OutcomeState

NOW_MS = 1_700_000_000_000
QUEUED_A = (Outcome("a", OutcomeState.QUEUED),)
ONLY_A = (("a", 1),)


class TurnedClock:
    """Stands still until a test turns it."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.turned_ms = now_ms

    def now_ms(self) -> int:
        return self.turned_ms

    def monotonic_s(self) -> float:
        return self.turned_ms / 1000


def record(
    body: bytes,
    *,
    routes: tuple[tuple[str, int], ...] = ONLY_A,
    events: int = 1,
    facts: EncodedFacts | None = None,
    ids: tuple[str, ...] = (),
    received_ms: int = NOW_MS,
) -> Record:
    outcomes = tuple((Outcome("a", OutcomeState.QUEUED, body.decode()),) for _ in ids)
    return Record(body, facts, routes, events, received_ms, ids, outcomes)


def cursors(records: Sequence[StoredRecord]) -> list[Cursor]:
    return [Cursor(one.record_id, index) for one in records for index in one.indexes]


async def bodies(outbox: Outbox, destination: str = "a") -> list[bytes]:
    return [one.body for one in await outbox.read(destination, None, 10_000)]


async def deliver(outbox: Outbox, destination: str = "a", events_max: int = 10_000) -> int:
    """Settle the oldest pending events as delivered; how many there were."""
    settled = [Settled(cursor) for cursor in cursors(await outbox.read(destination, None, events_max))]
    await outbox.settle(destination, settled)
    return len(settled)


async def kill(outbox: Outbox, reason: str = "REFUSED", destination: str = "a", events_max: int = 1) -> None:
    """Settle the oldest pending events as dead letters."""
    read = cursors(await outbox.read(destination, None, events_max))
    await outbox.settle(destination, [Settled(cursor, reason, "said no", 400) for cursor in read])


async def sql(outbox: SqliteOutbox, statement: str) -> list[Any]:
    """Run a statement on the outbox's own connection, between two commits."""
    return await outbox._read(lambda store: store._connection.execute(statement).fetchall())


async def fill_disk(outbox: SqliteOutbox) -> None:
    """Let the file grow no further, as a full disk does."""
    ((pages,),) = await sql(outbox, "PRAGMA page_count")
    await sql(outbox, f"PRAGMA max_page_count = {pages}")
