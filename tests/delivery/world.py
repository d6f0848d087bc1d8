"""Delivery with everything around it: an outbox, a codec, destinations on a real collector, short waits."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sidecar.delivery import Delivery, Pace
from sidecar.destinations.http import HttpClient
from sidecar.destinations.webhook import WebhookConfig, WebhookDestination
from sidecar.events.model import Event, ProjectFacts
from sidecar.outbox import DestinationBounds
from sidecar.ports import DeadLetter, Destination, EncodedFacts, Record, StoredRecord
from tests.collector import Collector, Received
from tests.events.samples import FACTS, a_track
from tests.fakes.outbox import FakeOutbox

QUICK = Pace(delay_s=lambda _n, _jitter: 0.01, probe_interval_s=0.05, linger_step_s=0.01)


class SystemClock:
    """The real one, and `skew_ms` ahead of it."""

    def __init__(self) -> None:
        self.skew_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.skew_ms

    def monotonic_s(self) -> float:
        return time.monotonic()


class Counted:
    """Ids that say which one they are."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"life{next(self._numbers)}"


class ShelfCodec:
    """Keeps the events themselves on a shelf; a record's body is the place on it."""

    def __init__(self) -> None:
        self._events: list[Sequence[Event]] = []
        self._facts: dict[str, ProjectFacts] = {}

    def put(self, events: Sequence[Event]) -> bytes:
        self._events.append(events)
        return str(len(self._events) - 1).encode()

    def events(self, record: StoredRecord) -> Sequence[Event]:
        kept = self._events[int(record.body)]
        return [kept[index] for index in record.indexes]

    def facts(self, facts: EncodedFacts) -> ProjectFacts:
        return self._facts[facts.key]

    def encode_facts(self, facts: ProjectFacts) -> EncodedFacts:
        self._facts[facts.revision] = facts
        return EncodedFacts(facts.revision, b"")


class World:
    def __init__(self, destinations: Sequence[Destination], pace: Pace = QUICK) -> None:
        self.clock = SystemClock()
        self.codec = ShelfCodec()
        bounds = DestinationBounds()
        self.outbox = FakeOutbox({destination.name: bounds for destination in destinations}, self.clock)
        self.names = [destination.name for destination in destinations]
        self.delivery = Delivery(
            outbox=self.outbox,
            codec=self.codec,
            destinations=destinations,
            clock=self.clock,
            ids=Counted(),
            random=lambda: 0.5,
            pace=pace,
        )

    async def accept(self, *events: Event, facts: ProjectFacts | None = FACTS, body: bytes | None = None) -> None:
        """One record with these events, for every destination."""
        record = Record(
            body=self.codec.put(events) if body is None else body,
            facts=self.codec.encode_facts(facts) if facts else None,
            routes=tuple((name, (1 << len(events)) - 1) for name in self.names),
            event_count=len(events),
            received_ms=self.clock.now_ms(),
        )
        await self.outbox.append(record)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """The lanes run within."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run()) for run in self.delivery.services().values()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def settled(self, name: str = "hook", timeout_s: float = 5.0) -> None:
        """Returns when nothing is pending there."""
        await self.settled_to(0, name, timeout_s)

    async def settled_to(self, pending: int, name: str = "hook", timeout_s: float = 5.0) -> None:
        """Returns when that many events are pending there."""
        async with asyncio.timeout(timeout_s):
            while self.outbox.pending(name) != pending:
                await asyncio.sleep(0.002)

    async def dead(self, name: str = "hook") -> list[DeadLetter]:
        assert all(counts.conserved for counts in await self.outbox.counts())
        return list(await self.outbox.dead_letters(name, 0, 1_000))


def a_hook(collector: Collector, client: HttpClient, name: str = "hook", **config: Any) -> WebhookDestination:
    plain: dict[str, Any] = {
        "endpoint": f"{collector.url}/{name}",
        "batch_age_max_s": 0.02,
        "timeout_s": 2.0,
    }
    return WebhookDestination(name, WebhookConfig(**plain | config), client)


@asynccontextmanager
async def a_world(collector: Collector, pace: Pace = QUICK, **config: Any) -> AsyncIterator[World]:
    """One webhook, `hook`, on the collector, its lane running."""
    client = HttpClient()
    world = World([a_hook(collector, client, **config)], pace)
    async with world.delivering():
        yield world
    await client.close()


def tracks(count: int, first: int = 0) -> list[Event]:
    return [a_track(event_id=f"e{number}") for number in range(first, first + count)]


def ids(requests: Sequence[Received]) -> list[str]:
    return [event["event_id"] for request in requests for event in request.json()]
