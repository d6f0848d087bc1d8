from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox
from sidecar.ports import Outbox
from tests.fakes.outbox import FakeOutbox
from tests.outbox.records import TurnedClock

Opens: TypeAlias = Callable[..., Awaitable[SqliteOutbox]]
Makes: TypeAlias = Callable[..., Awaitable[Outbox]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def opened(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Opens]:
    """Opens the outbox of `tmp_path`; by keyword: the durability, else bounds of destinations by name."""
    outboxes: list[SqliteOutbox] = []

    async def open_outbox(durability: Durability = Durability.PROCESS, **bounds: DestinationBounds) -> SqliteOutbox:
        destinations = bounds or {"a": DestinationBounds(), "b": DestinationBounds()}
        outbox = await SqliteOutbox.open(tmp_path, durability=durability, destinations=destinations, clock=clock)
        outboxes.append(outbox)
        return outbox

    yield open_outbox
    for outbox in outboxes:
        await outbox.close()


@pytest.fixture(params=["fake", "memory", "process", "power"])
def made(request: pytest.FixtureRequest, opened: Opens, clock: TurnedClock) -> Makes:
    """Makes an outbox of each kind that the contract binds."""

    async def make(**bounds: DestinationBounds) -> Outbox:
        if request.param == "fake":
            return FakeOutbox(bounds or {"a": DestinationBounds(), "b": DestinationBounds()}, clock)
        return await opened(Durability(request.param), **bounds)

    return make
