"""Poison events: found by bisection, alone made dead letters; and the fault that is the batch's."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.collector import Answered, Collector, Received
from tests.collector.server import Judge
from tests.delivery.world import a_world, ids, tracks


def refusing(*poison: str) -> Judge:
    def judge(received: Received) -> Answered:
        return Answered(400 if set(ids([received])) & set(poison) else 200)

    return judge


@pytest.mark.parametrize("poison", ["e0", "e49", "e50", "e99", "e37"])
async def test_a_poison_event_among_a_hundred_dies_alone(collector: Collector, poison: str) -> None:
    collector.judge = refusing(poison)
    with capture_logs() as logs:
        async with a_world(collector, batch_events_max=100) as world:
            await world.accept(*tracks(100))
            await world.settled()
            dead = await world.dead()
            [counts] = await world.outbox.counts()
    assert (counts.delivered, counts.dead) == (99, 1)
    assert [world.codec.events(letter.record)[0].origin.event_id for letter in dead] == [poison]
    assert collector.attempts <= 2 * math.log2(100) + 2
    others = [f"e{number}" for number in range(100) if f"e{number}" != poison]
    assert ids(collector.taken) == others, "in order, each once"
    assert [line["event"] for line in logs] == ["events_dead"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(poison=st.sets(st.integers(0, 39), max_size=6), batch=st.integers(1, 40))
def test_any_few_poison_events_die_alone(poison: set[int], batch: int) -> None:
    import asyncio

    async def run() -> None:
        collector = Collector()
        await collector.start()
        bad = [f"e{number}" for number in sorted(poison)]
        collector.judge = refusing(*bad)
        async with a_world(collector, batch_events_max=batch) as world:
            await world.accept(*tracks(40))
            await world.settled()
            dead = [world.codec.events(letter.record)[0].origin.event_id for letter in await world.dead()]
        assert dead == bad
        assert ids(collector.taken) == [f"e{number}" for number in range(40) if number not in poison]
        await collector.close()

    asyncio.run(run())


async def test_a_413_of_a_batch_halves_it(collector: Collector) -> None:
    collector.judge = lambda received: Answered(413 if len(received.json()) > 3 else 200)
    async with a_world(collector) as world:
        await world.accept(*tracks(10))
        await world.settled()
        assert not await world.dead()
    assert ids(collector.taken) == [f"e{number}" for number in range(10)]


async def test_eight_singles_refused_in_a_row_pause_the_destination_and_none_dies(
    collector: Collector,
) -> None:
    collector.default = Answered(400)
    with capture_logs() as logs:
        async with a_world(collector) as world:
            await world.accept(*tracks(32))
            await collector.wait_until(lambda: collector.attempts >= 20)
            told = world.delivery.statuses["hook"]
            assert told.paused
            assert "fault is not the events'" in told.pause_reason
            assert not await world.dead()
            assert world.outbox.pending("hook") == 32
            collector.default = Answered(200)
            await world.settled()
            assert not world.delivery.statuses["hook"].paused
    assert ids(collector.taken) == [f"e{number}" for number in range(32)]
    singles = [request for request in collector.received if len(request.json()) == 1]
    assert len(singles) == 8
    assert [line["event"] for line in logs] == ["destination_paused", "destination_resumed"]


async def test_seven_singles_refused_and_then_one_delivered_are_seven_dead_letters(
    collector: Collector,
) -> None:
    bad = [f"e{number}" for number in range(7)]
    collector.judge = refusing(*bad)
    async with a_world(collector) as world:
        await world.accept(*tracks(16))
        await world.settled()
        assert len(await world.dead()) == 7
        assert not world.delivery.statuses["hook"].paused


async def test_the_row_of_singles_counts_over_batches(collector: Collector) -> None:
    collector.default = Answered(400)
    async with a_world(collector, batch_events_max=1) as world:
        await world.accept(*tracks(12))
        await collector.wait_for(10)
        assert world.delivery.statuses["hook"].paused
        assert len(await world.dead()) == 7
        assert world.outbox.pending("hook") == 5
        collector.default = Answered(200)
        await world.settled()
    assert ids(collector.taken) == [f"e{number}" for number in range(7, 12)]


async def test_a_pause_within_a_bisection_goes_on_where_it_was(collector: Collector) -> None:
    collector.answers(400, 401, 401)
    async with a_world(collector) as world:
        await world.accept(*tracks(4))
        await world.settled()
    assert ids(collector.taken) == ["e0", "e1", "e2", "e3"]
    assert [len(request.json()) for request in collector.received] == [4, 2, 2, 2, 2]


async def test_what_cannot_be_read_is_a_dead_letter_and_stops_nothing(collector: Collector) -> None:
    async with a_world(collector) as world:
        await world.accept(*tracks(1))
        await world.accept(*tracks(2, 1), body=b"not a place on the shelf")
        await world.accept(*tracks(1, 3))
        await world.settled()
        assert [dead.reason for dead in await world.dead()] == ["UNREADABLE", "UNREADABLE"]
    assert ids(collector.taken) == ["e0", "e3"]


async def test_what_is_too_large_as_sent_is_a_dead_letter_without_a_request(collector: Collector) -> None:
    async with a_world(collector, batch_bytes_max=500) as world:
        from tests.events.samples import a_track

        await world.accept(a_track(event_id="big", properties={"text": "x" * 600}))
        await world.accept(*tracks(1))
        await world.settled()
        [dead] = await world.dead()
        assert dead.reason == "TOO_LARGE"
        assert "wanted at most 498" in dead.detail
    assert ids(collector.received) == ["e0"]
