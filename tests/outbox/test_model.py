"""Random histories against the plain model in tests/fakes.

They have kills at any statement, reopening, full disks, statements that fail, and batches of any size.

After each step both say the same of every count, and accepted = delivered + pending + dead + dropped.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from sidecar.errors import OutboxFull, OutboxUnwritable
from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox
from sidecar.ports import Cursor, DeadLetter, EncodedFacts, Outbox, Record, Settled
from tests.fakes.outbox import FakeOutbox
from tests.outbox.records import TurnedClock, cursors, fill_disk, sql

NAMES = ("a", "b", "c")
FACTS = (None, *(EncodedFacts(f"r{number}", b"facts") for number in range(8)))

events = st.integers(1, 4)
masks = st.integers(0, 15)
destinations = st.sampled_from(NAMES)
bounds = st.builds(DestinationBounds, bytes_max=st.integers(0, 900), dead_letter_bytes_max=st.integers(0, 300))


@st.composite
def taken(draw: st.DrawFn) -> Record:
    count = draw(events)
    full = (1 << count) - 1
    routes = tuple((name, draw(masks) & full) for name in draw(st.sets(destinations).map(sorted)))
    ids = tuple(draw(st.sampled_from(["", "", "x", "y", "z"])) for _ in range(count))
    body = draw(st.binary(max_size=80))
    facts = draw(st.sampled_from(FACTS))
    return Record(body, facts, routes, count, draw(st.integers(0, 50)), ids, ((),) * count)


async def appended(outbox: Any, record: Record) -> Any:
    return await outbox.append(record)


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = TurnedClock(100)

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    async def open(self) -> SqliteOutbox:
        return await SqliteOutbox.open(
            Path(self.directory.name),
            durability=Durability.PROCESS,
            destinations=self.bounds,
            clock=self.clock,
        )

    @initialize(a=bounds, b=bounds, c=bounds)
    def start(self, a: DestinationBounds, b: DestinationBounds, c: DestinationBounds) -> None:
        self.bounds = {"a": a, "b": b, "c": c}
        self.model = FakeOutbox(self.bounds, self.clock)
        self.real = self.run(self.open())

    def both(self, method: str, *arguments: Any) -> Any:
        """Call both with the same; the answers are equal."""
        wanted = self.run(getattr(self.model, method)(*arguments))
        got = self.run(getattr(self.real, method)(*arguments))
        assert got == wanted
        return got

    @rule(record=taken())
    def append(self, record: Record) -> None:
        async def answer(outbox: Any) -> Any:
            try:
                return list(await outbox.append(record))
            except OutboxFull as full:
                return full.limit_bytes

        assert self.run(answer(self.real)) == self.run(answer(self.model))

    @rule(record=taken())
    def offer(self, record: Record) -> None:
        self.model.offer(record)

        async def offered() -> None:
            assert self.real.offer(record)
            await self.real.position()

        self.run(offered())

    @rule(destination=destinations, count=st.integers(1, 6), fates=st.integers(0, 63))
    def settle(self, destination: str, count: int, fates: int) -> None:
        read = cursors(self.both("read", destination, None, count))
        settled = [Settled(cursor, "REFUSED" if fates >> i & 1 else "") for i, cursor in enumerate(read)]
        self.both("settle", destination, settled)
        self.both("settle", destination, settled)

    @rule(destination=destinations, record_id=st.integers(0, 20), index=st.integers(-1, 3), count=events)
    def read_after(self, destination: str, record_id: int, index: int, count: int) -> None:
        self.both("read", destination, Cursor(record_id, index), count)
        self.both("left", destination, record_id)

    @rule(destination=destinations, before_ms=st.integers(0, 150))
    def expire(self, destination: str, before_ms: int) -> None:
        self.both("expire", destination, before_ms)

    @rule(destination=destinations, dead_ids=st.none() | st.lists(st.integers(1, 30), unique=True))
    def requeue(self, destination: str, dead_ids: list[int] | None) -> None:
        self.both("requeue", destination, dead_ids)

    @rule(destination=destinations, dead_ids=st.none() | st.lists(st.integers(1, 30), unique=True))
    def purge(self, destination: str, dead_ids: list[int] | None) -> None:
        self.both("purge", destination, dead_ids)

    @rule(turned_ms=st.integers(1, 20))
    def turn_clock(self, turned_ms: int) -> None:
        self.clock.turned_ms += turned_ms

    @rule()
    def reopen(self) -> None:
        self.run(self.real.close())
        self.real = self.run(self.open())

    @rule(record=taken(), statement=st.integers(0, 12))
    def be_killed_at_a_statement(self, record: Record, statement: int) -> None:
        """What a kill leaves is a copy of the files as they are then; what follows it here never happened."""
        left = tempfile.TemporaryDirectory()
        to_go = statement

        def copied(_: str) -> None:
            nonlocal to_go
            to_go -= 1
            if to_go == -1:
                self.copy_files(Path(left.name))

        async def killed() -> bool:
            await self.real._read(lambda store: store._connection.set_trace_callback(copied))
            with suppress(OutboxFull):
                await self.real.append(record)
            await self.real._read(lambda store: store._connection.set_trace_callback(None))
            return to_go < 0

        if not self.run(killed()):
            # It was over before: a kill between two transactions.
            self.copy_files(Path(left.name))
            with suppress(OutboxFull):
                self.run(appended(self.model, record))
        self.run(self.real.close())
        self.directory.cleanup()
        self.directory = left
        self.real = self.run(self.open())

    def copy_files(self, to: Path) -> None:
        for path in Path(self.directory.name).glob("outbox.db*"):
            if not path.name.endswith("-shm"):
                shutil.copyfile(path, to / path.name)

    @rule(record=taken(), steps=st.integers(1, 400))
    def fail_at_any_step(self, record: Record, steps: int) -> None:
        """A statement ends with an error wherever SQLite then is, as it does when the disk fails."""

        async def failing() -> bool:
            await self.real._read(lambda store: store._connection.set_progress_handler(lambda: 1, steps))
            try:
                with suppress(OutboxFull):
                    await self.real.append(record)
            except OutboxUnwritable:
                return False
            finally:
                await self.real._read(lambda store: store._connection.set_progress_handler(None, 0))
            return True

        if self.run(failing()):
            with suppress(OutboxFull):
                self.run(appended(self.model, record))

    @rule(record=taken())
    def fail_to_write(self, record: Record) -> None:
        async def failing() -> None:
            await fill_disk(self.real)
            with pytest.raises(OutboxUnwritable):
                await self.real.append(structs.replace(record, body=b"x" * 200_000, routes=(("new", 1),), event_ids=()))
            await sql(self.real, "PRAGMA max_page_count = 1000000")

        self.run(failing())

    @invariant()
    def counts_agree_and_are_conserved(self) -> None:
        if not hasattr(self, "real"):
            return
        counts = self.both("counts")
        assert all(one.conserved for one in counts)
        for name in NAMES:
            assert self.real.pending(name) == self.model.pending(name)
            self.both("read", name, None, 100)
            assert self.letters(self.real, name) == self.letters(self.model, name)

    @invariant()
    def nothing_is_kept_that_nobody_needs(self) -> None:
        if not hasattr(self, "real"):
            return
        needed = {cursor[0] for account in self.model._accounts.values() for cursor in self._cursors(account)}
        records = self.run(sql(self.real, "SELECT record_id FROM records"))
        assert {record_id for (record_id,) in records} == needed
        counted = "SELECT facts_id, records FROM facts WHERE records ORDER BY facts_id"
        found = "SELECT facts_id, count(*) FROM records WHERE facts_id GROUP BY facts_id ORDER BY facts_id"
        assert self.run(sql(self.real, counted)) == self.run(sql(self.real, found))

    def letters(self, outbox: Outbox, destination: str) -> list[DeadLetter]:
        """Dead letters but for the sentence for a person."""
        return [one._replace(detail="") for one in self.run(outbox.dead_letters(destination, 0, 100))]

    def _cursors(self, account: Any) -> list[Cursor]:
        return [event.cursor for event in account.queue] + [one.event.cursor for one in account.dead]

    def teardown(self) -> None:
        if hasattr(self, "real"):
            self.run(self.real.close())
        self.loop.close()
        self.directory.cleanup()


OutboxMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
TestAnyHistoryEndsAsInTheModel = OutboxMachine.TestCase
