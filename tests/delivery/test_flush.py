"""Flush and drain: at once, to the deadline, and what is left said by name."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import pytest

from sidecar.destinations.http import HttpClient
from sidecar.errors import OutboxUnwritable
from tests.collector import Answered, Collector
from tests.delivery.world import QUICK, World, a_hook, a_world, ids, tracks


async def test_flush_does_not_wait_for_company(collector: Collector) -> None:
    async with a_world(collector, batch_age_max_s=60) as world:
        await world.accept(*tracks(3))
        await asyncio.sleep(0.03)
        assert not collector.received
        assert await world.delivery.flush(2) == {"hook": 0}
    assert ids(collector.received) == ["e0", "e1", "e2"]


async def test_flush_says_what_is_left_at_its_deadline(collector: Collector) -> None:
    collector.judge = lambda received: Answered(503 if received.path == "/down" else 200)
    client = HttpClient()
    world = World([a_hook(collector, client, "down"), a_hook(collector, client, "up")])
    async with world.delivering():
        await world.accept(*tracks(4))
        began_s = time.monotonic()
        assert await world.delivery.flush(0.2) == {"down": 4, "up": 0}
        assert 0.2 <= time.monotonic() - began_s < 1
    await client.close()


async def test_flush_does_not_wait_for_a_paused_destination(collector: Collector) -> None:
    collector.default = Answered(401)
    async with a_world(collector) as world:
        await world.accept(*tracks(2))
        began_s = time.monotonic()
        assert await world.delivery.flush(5) == {"hook": 2}
        assert time.monotonic() - began_s < 1


async def test_flush_waits_for_what_was_accepted_before_it_alone(collector: Collector) -> None:
    collector.default = Answered(delay_s=0.05)
    async with a_world(collector, batch_events_max=1) as world:
        await world.accept(*tracks(1))
        flushing = asyncio.ensure_future(world.delivery.flush(5))
        await collector.wait_for(1)
        await world.accept(*tracks(20, 1))
        assert await flushing == {"hook": 0}
        assert world.outbox.pending("hook") > 10


async def test_flush_ends_a_backoff_once(collector: Collector) -> None:
    collector.answers(503)
    pace = dataclasses.replace(QUICK, delay_s=lambda _n, _jitter: 60.0)
    async with a_world(collector, pace=pace) as world:
        await world.accept(*tracks(1))
        await collector.wait_for(1)
        await asyncio.sleep(0.1)
        assert await world.delivery.flush(5) == {"hook": 0}


async def test_flush_that_the_disk_fails_leaves_no_lane_in_a_hurry(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.judge = lambda received: Answered(503 if received.path == "/down" else 200)
    client = HttpClient()
    world = World([a_hook(collector, client, "down"), a_hook(collector, client, "up")])
    left, failed = world.outbox.left, asyncio.Event()

    async def failing(destination: str, through: int) -> int:
        if destination == "up":
            failed.set()
            raise OutboxUnwritable("disk I/O error", retry_after_s=0.01)
        return await left(destination, through)

    monkeypatch.setattr(world.outbox, "left", failing)
    async with world.delivering():
        await world.accept(*tracks(1))
        with pytest.raises(OutboxUnwritable):
            await world.delivery.flush(0.2)
        assert failed.is_set()
        waiting = [task for task in asyncio.all_tasks() if "reached" in repr(task.get_coro())]
        assert not waiting, "nobody waits on for a flush that was answered"
    await client.close()


async def test_drain_leaves_nothing_when_the_destination_is_well(collector: Collector) -> None:
    async with a_world(collector, batch_age_max_s=60, batch_events_max=7) as world:
        await world.accept(*tracks(50))
        assert await world.delivery.drain(5) == {"hook": 0}
    assert ids(collector.received) == [f"e{number}" for number in range(50)]


async def test_cancelled_in_flight_events_stay_pending(collector: Collector) -> None:
    collector.default = Answered(delay_s=5)
    async with a_world(collector) as world:
        await world.accept(*tracks(3))
        await collector.wait_for(1)
    assert world.outbox.pending("hook") == 3
