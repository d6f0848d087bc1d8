"""What the outbox costs: an offer, an awaited append, a read with its settle. Run: `python bench/outbox.py`.

Bodies of 350 bytes with project facts, one destination. CPU is the process's (both threads); a busy machine stretches
wall time, not CPU. Nothing is asserted here: the ratios that bind are `make bench`'s.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import uvloop
from msgspec import structs

from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox
from sidecar.ports import Cursor, EncodedFacts, Record, Settled
from sidecar.values import Outcome, OutcomeState

DESTINATIONS: Mapping[str, DestinationBounds] = {"a": DestinationBounds()}
FACTS = EncodedFacts("facts", b"f" * 4096)
OFFERED = Record(b"b" * 350, FACTS, (("a", 1),), 1, 1_700_000_000_000)
QUEUED = ((Outcome("a", OutcomeState.QUEUED),),)


class WallClock:
    """The machine's."""

    def now_ms(self) -> int:
        """`Clock.now_ms`."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """`Clock.monotonic_s`."""
        return time.monotonic()


def row(what: str, count: int, wall_s: float, cpu_s: float) -> None:
    """One line: how many a second, and CPU of the process for each."""
    print(f"  {what:44} {count / wall_s:>10,.0f}/s {cpu_s / count * 1e6:>8.2f} µs CPU")


async def offers(outbox: SqliteOutbox) -> None:
    """The time that a Decide spends in `offer`, and what an offer costs with its commit."""
    calling_s, count = 0.0, 0
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(200):
        started = time.perf_counter()
        for _ in range(200):
            outbox.offer(OFFERED)
        calling_s += time.perf_counter() - started
        count += 200
        await asyncio.sleep(0.006)
    await outbox.position()
    print(f"  {'offer, on the calling thread':44} {calling_s / count * 1e6:>10.2f} µs")
    row("offer with its commit, 200 each 6 ms", count, time.perf_counter() - wall, time.process_time() - cpu)


def random_id(_: int) -> str:
    """UUIDv4, as most callers make them."""
    return str(uuid.uuid4())


def ordered_id(number: int) -> str:
    """The shape of UUIDv7: the time in milliseconds, a counter, chance."""
    chance = uuid.uuid4().hex
    return str(uuid.UUID(f"{time.time_ns() // 1_000_000:012x}7{number & 0xFFF:03x}8{chance[:15]}"))


async def appends(outbox: SqliteOutbox, in_flight: int, count: int, ids: Callable[[int], str] | None = None) -> None:
    """Callers in a closed loop, each waiting for the commit of its record."""
    made = [structs.replace(OFFERED, event_ids=(ids(n),), outcomes=QUEUED) if ids else OFFERED for n in range(count)]
    records = iter(made)

    async def caller() -> None:
        for record in records:
            await outbox.append(record)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    what = f"append, {in_flight} in flight{f', {ids.__name__}' if ids else ''}"
    row(what, count, time.perf_counter() - wall, time.process_time() - cpu)


async def drain(outbox: SqliteOutbox) -> None:
    """Reading and settling everything in batches of 500."""
    count = outbox.pending("a")
    wall, cpu = time.perf_counter(), time.process_time()
    while batch := await outbox.read("a", None, 500):
        await outbox.settle("a", [Settled(Cursor(one.record_id, i)) for one in batch for i in one.indexes])
    row("read and settle, 500 events each", count, time.perf_counter() - wall, time.process_time() - cpu)


async def main() -> None:
    """All rows for each durability."""
    for durability in Durability:
        print(f"durability {durability.value}")
        with tempfile.TemporaryDirectory() as directory:
            outbox = await SqliteOutbox.open(
                Path(directory), durability=durability, destinations=DESTINATIONS, clock=WallClock()
            )
            await offers(outbox)
            await appends(outbox, 1, 3_000)
            for in_flight in (40, 1000):
                await appends(outbox, in_flight, 30_000)
                await appends(outbox, in_flight, 30_000, ordered_id)
                await appends(outbox, in_flight, 30_000, random_id)
            await drain(outbox)
            await outbox.close()


if __name__ == "__main__":
    uvloop.run(main())
