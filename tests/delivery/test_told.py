"""What readers of notifications are told of deliveries: one notification an attempt, and one a dead letter."""

from __future__ import annotations

import asyncio

from sidecar.events.model import Event
from sidecar.limits import NOTIFIED_EVENT_IDS_MAX
from sidecar.notifications import DeliveryDone, DeliveryState, Kind, Subscription
from tests.collector import Answered, Collector
from tests.delivery.test_refusals import refusing
from tests.delivery.world import World, a_world, tracks
from tests.events.samples import a_track


async def told(reader: Subscription, until: DeliveryState, events: int = 1) -> list[DeliveryDone]:
    """What is told up to this state, and the same number of events in it all together."""
    found: list[DeliveryDone] = []
    async with asyncio.timeout(5):
        while sum(one.event_count for one in found if one.state is until) < events:
            notification = (await anext(reader)).notification
            assert isinstance(notification, DeliveryDone)
            found.append(notification)
    return found


def listening(world: World) -> Subscription:
    return world.notifications.subscribe([Kind.DELIVERY], "shop")


async def test_a_delivered_batch_is_told_with_its_events(collector: Collector) -> None:
    async with a_world(collector, batch_events_max=3) as world:
        with listening(world) as reader:
            await world.accept(*tracks(3))
            [done] = await told(reader, DeliveryState.DELIVERED, 3)
    assert done == DeliveryDone(
        destination="hook",
        state=DeliveryState.DELIVERED,
        event_count=3,
        event_ids=("e0", "e1", "e2"),
        status=200,
        attempt=1,
    )


async def test_each_failed_attempt_is_told_by_its_number(collector: Collector) -> None:
    collector.answers(503, 503)
    async with a_world(collector) as world:
        with listening(world) as reader:
            await world.accept(*tracks(1))
            all_told = await told(reader, DeliveryState.DELIVERED)
    retrying, delivered = DeliveryState.RETRYING, DeliveryState.DELIVERED
    assert [(one.state, one.status, one.attempt) for one in all_told] == [
        (retrying, 503, 1),
        (retrying, 503, 2),
        (delivered, 200, 3),
    ]
    assert "503" in all_told[0].error
    assert not all_told[-1].error


async def test_a_paused_destination_is_told_at_each_probe(collector: Collector) -> None:
    collector.answers(401, 500)
    async with a_world(collector) as world:
        with listening(world) as reader:
            await world.accept(*tracks(1))
            all_told = await told(reader, DeliveryState.DELIVERED)
    assert [(one.state, one.status) for one in all_told] == [
        (DeliveryState.PAUSED, 401),
        (DeliveryState.PAUSED, 500),
        (DeliveryState.DELIVERED, 200),
    ]


async def test_a_refused_event_is_told_dead_alone_and_its_batch_is_tried_again(collector: Collector) -> None:
    collector.judge = refusing("e1")
    async with a_world(collector, batch_events_max=2) as world:
        with listening(world) as reader:
            await world.accept(*tracks(2))
            all_told = await told(reader, DeliveryState.DEAD)
    assert [(one.state, one.event_ids, one.status) for one in all_told] == [
        (DeliveryState.RETRYING, ("e0", "e1"), 400),
        (DeliveryState.DELIVERED, ("e0",), 200),
        (DeliveryState.DEAD, ("e1",), 400),
    ]
    assert all_told[-1].attempt == 1


async def test_single_events_refused_in_a_row_are_told_as_a_pause(collector: Collector) -> None:
    collector.judge = lambda _received: Answered(400)
    async with a_world(collector, batch_events_max=20) as world:
        with listening(world) as reader:
            await world.accept(*tracks(20))
            all_told = await told(reader, DeliveryState.PAUSED)
    assert not any(one.state is DeliveryState.DEAD for one in all_told), "the fault is not theirs"


async def test_an_event_too_large_to_be_sent_is_told_dead_without_an_attempt(collector: Collector) -> None:
    large: Event = a_track(event_id="large", properties={"text": "x" * 40_000})
    async with a_world(collector, batch_bytes_max=20_000) as world:
        with listening(world) as reader:
            await world.accept(large)
            [dead] = await told(reader, DeliveryState.DEAD)
    assert (dead.event_ids, dead.attempt, dead.status) == (("large",), 0, 0)
    assert "wanted at most" in dead.error


async def test_a_record_that_cannot_be_read_is_told_dead_without_ids(collector: Collector) -> None:
    async with a_world(collector) as world:
        with listening(world) as reader:
            await world.accept(*tracks(1), body=b"no number")
            [dead] = await told(reader, DeliveryState.DEAD)
    assert (dead.event_count, dead.event_ids) == (1, ())


async def test_the_ids_of_a_batch_are_bounded(collector: Collector) -> None:
    many = NOTIFIED_EVENT_IDS_MAX + 10
    async with a_world(collector, batch_events_max=many, batch_bytes_max=4_000_000) as world:
        with listening(world) as reader:
            await world.accept(*tracks(many))
            all_told = await told(reader, DeliveryState.DELIVERED, many)
    assert [(one.event_count, len(one.event_ids)) for one in all_told] == [(many, NOTIFIED_EVENT_IDS_MAX)]
