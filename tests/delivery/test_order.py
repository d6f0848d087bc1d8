"""Outage, recovery, batches and their bounds: everything arrives, in order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from sidecar.delivery import Pace
from sidecar.destinations.http import HttpClient
from sidecar.destinations.optimizely import OptimizelyConfig, OptimizelyDestination
from sidecar.errors import OutboxUnwritable
from sidecar.ports import Settled
from tests.collector import Answered, Collector
from tests.delivery.world import QUICK, World, a_hook, a_world, ids, tracks
from tests.events.samples import FACTS, a_track, an_impression


async def test_after_an_outage_everything_arrives_in_order(collector: Collector) -> None:
    await collector.close()
    with capture_logs() as logs:
        async with a_world(collector, batch_events_max=10) as world:
            for number in range(50):
                await world.accept(*tracks(1, number))
            while world.delivery.statuses["hook"].retries < 3:
                await asyncio.sleep(0.005)
            await collector.start()
            await world.accept(*tracks(5, 50))
            await world.settled()
    assert ids(collector.taken) == [f"e{number}" for number in range(55)]
    assert [line["event"] for line in logs] == ["destination_failing", "destination_recovered"]


async def test_one_batch_is_in_flight(collector: Collector) -> None:
    collector.default = Answered(delay_s=0.01)
    most = 0

    def look(_received: object) -> None:
        nonlocal most
        most = max(most, collector.attempts - delivered())

    async with a_world(collector, batch_events_max=2) as world:

        def delivered() -> int:
            return world.delivery.statuses["hook"].batches_delivered

        collector.listener = look
        await world.accept(*tracks(20))
        await world.settled()
    assert (most, collector.attempts) == (1, 10)


async def test_a_batch_ends_at_its_count(collector: Collector) -> None:
    async with a_world(collector, batch_events_max=8) as world:
        await world.accept(*tracks(20))
        await world.settled()
    assert [len(request.json()) for request in collector.received] == [8, 8, 4]


async def test_a_batch_is_filled_to_the_byte(collector: Collector) -> None:
    client = HttpClient()
    probe = a_hook(collector, client)
    events = [a_track(event_id=f"e{number:03d}") for number in range(12)]
    each = len(probe.render(events[0], FACTS))
    fits_three = 3 * each + 2 + 2
    for bytes_max, expected in ((fits_three, 3), (fits_three - 1, 2)):
        collector.received.clear()
        async with a_world(collector, batch_bytes_max=bytes_max) as world:
            await world.accept(*events)
            await world.settled()
        assert len(collector.received[0].json()) == expected
        assert max(len(request.body) for request in collector.received) <= bytes_max
    await client.close()


async def test_an_event_waits_for_company_no_longer_than_the_age(collector: Collector) -> None:
    async with a_world(collector, batch_age_max_s=0.2) as world:
        await world.accept(*tracks(1))
        await asyncio.sleep(0.05)
        await world.accept(*tracks(1, 1))
        assert not collector.received
        await world.settled(timeout_s=1)
    assert [len(request.json()) for request in collector.received] == [2]


async def test_a_full_batch_does_not_wait(collector: Collector) -> None:
    async with a_world(collector, batch_age_max_s=60, batch_events_max=2) as world:
        await world.accept(*tracks(2))
        await world.settled(timeout_s=1)


async def test_one_failing_destination_does_not_delay_another(collector: Collector) -> None:
    collector.judge = lambda received: Answered(503 if received.path == "/down" else 200)
    client = HttpClient()
    world = World([a_hook(collector, client, "down"), a_hook(collector, client, "up")])
    async with world.delivering():
        await world.accept(*tracks(3))
        await world.settled("up", timeout_s=1)
        assert world.outbox.pending("down") == 3
    await client.close()


async def test_an_event_leaves_with_the_facts_it_was_accepted_under(collector: Collector) -> None:
    client = HttpClient()
    config = OptimizelyConfig(endpoint=collector.url, batch_age_max_s=0.02)
    world = World([OptimizelyDestination("optimizely", config, client)])
    newer = dataclasses.replace(FACTS, revision="8", event_ids={"purchase": "e9"})
    async with world.delivering():
        await world.accept(a_track(), an_impression())
        await world.accept(a_track(), facts=newer)
        await world.accept(a_track())
        await world.settled("optimizely")
    sent = [request.json() for request in collector.received]
    assert [(batch["revision"], len(batch["visitors"])) for batch in sent] == [("7", 2), ("8", 1), ("7", 1)]
    assert sent[1]["visitors"][0]["snapshots"][0]["events"][0]["entity_id"] == "e9"
    await client.close()


async def test_a_batch_keeps_its_id_at_each_attempt_and_the_next_has_another(collector: Collector) -> None:
    collector.answers(503, 503)
    async with a_world(collector) as world:
        await world.accept(*tracks(2))
        await world.settled()
        await world.accept(*tracks(1, 2))
        await world.settled()
    keys = [request.headers["Idempotency-Key"] for request in collector.received]
    assert keys[0] == keys[1] == keys[2] != keys[3]


async def test_events_too_old_die_while_their_destination_is_down(collector: Collector) -> None:
    collector.default = Answered(503)
    pace = dataclasses.replace(QUICK, expiry_interval_s=0.02, pending_age_max_s={"hook": 3600.0})
    async with a_world(collector, pace=pace) as world:
        await world.accept(*tracks(2))
        await collector.wait_for(2)
        world.clock.skew_ms = 3_601_000
        await world.accept(*tracks(1, 2))
        await world.settled_to(1)
        assert [dead.reason for dead in await world.dead()] == ["EXPIRED", "EXPIRED"]
        collector.default = Answered(200)
        await world.settled()
    assert ids(collector.taken) == ["e2"]


async def test_a_disk_that_refuses_to_settle_is_waited_for(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(collector) as world:
        settle, refusals = world.outbox.settle, 2

        async def stubborn(destination: str, settled: Sequence[Settled]) -> None:
            nonlocal refusals
            if refusals:
                refusals -= 1
                raise OutboxUnwritable("disk full", retry_after_s=0.01)
            await settle(destination, settled)

        monkeypatch.setattr(world.outbox, "settle", stubborn)
        await world.accept(*tracks(2))
        await world.settled()
    assert collector.attempts == 1, "what was delivered is not sent again"


async def test_the_default_pace_is_that_of_the_limits() -> None:
    pace = Pace()
    assert (pace.probe_interval_s, pace.age_max_s("any")) == (60.0, 24 * 3600)
