"""The main job, end to end: a service decides, tracks, its events arrive, the datafile changes under it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.collector import Collector
from tests.e2e.scene import Scene, decide, flush, shop, status, track

pytestmark = pytest.mark.usefixtures("wire")


def express_for_everybody(datafile: dict[str, Any]) -> None:
    """All traffic of the checkout test to one variation."""
    (experiment,) = [one for one in datafile["experiments"] if one["key"] == "checkout_redesign_test"]
    (express,) = [one["id"] for one in experiment["variations"] if one["key"] == "express"]
    experiment["trafficAllocation"] = [{"entityId": express, "endOfRange": 10_000}]


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
async def test_a_service_decides_tracks_sees_its_events_arrive_and_gets_the_new_decision_after_an_edit(
    scene: Scene, collector: Collector, unix: bool
) -> None:
    scene.deliver_to(
        {"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/events", "batch_age_max": "20ms"}
    )
    await scene.start_beside()
    async with scene.channel(unix=unix) as channel:
        before = await decide(channel, "user-3", "checkout_redesign", decision_id="decision-1")
        assert before.revision == "41"
        tracked = await track(channel, "event-1")
        assert [(one.destination, one.state) for one in tracked.outcomes] == [("hook", 1)]
        assert await flush(channel) == {}
        arrived = [event for request in collector.taken for event in request.json()]
        assert [event["kind"] for event in arrived] == ["impression", "track"]
        assert arrived[0]["decision_id"] == "decision-1"
        assert arrived[0]["variation_key"] == before.decisions[0].variation_key
        assert arrived[1]["event_id"] == "event-1"

        scene.publish(shop("42", express_for_everybody))
        async with asyncio.timeout(5):
            while (after := await decide(channel, "user-3", "checkout_redesign")).revision == "41":
                await asyncio.sleep(0.01)
        assert after.decisions[0].variation_key == "express"
        assert (await status(channel)).revision == "42"
    assert await asyncio.to_thread(scene.daemon.stop) == 0


async def test_optimizely_gets_the_impression_and_the_conversion_with_their_ids(
    scene: Scene, collector: Collector
) -> None:
    scene.deliver_to(
        {"name": "optimizely", "type": "optimizely", "endpoint": f"{collector.url}/v1/events", "batch_age_max": "20ms"}
    )
    await scene.start_beside()
    async with scene.channel() as channel:
        decided = (await decide(channel, "user-3", "checkout_redesign")).decisions[0]
        await track(channel, "6a1f0c4e-8f0b-4a52-9a53-0f2f3a0f6f11")
        assert await flush(channel) == {}
    batches = [request.json() for request in collector.taken]
    assert {batch["account_id"] for batch in batches} == {shop()["accountId"]}
    visitors = [visitor for batch in batches for visitor in batch["visitors"]]
    impression, conversion = (visitor["snapshots"][0] for visitor in visitors)
    assert impression["decisions"][0]["experiment_id"] == decided.experiment_id
    assert impression["decisions"][0]["metadata"]["rule_type"] == "feature-test"
    (purchase,) = [event for event in shop()["events"] if event["key"] == "purchase"]
    assert conversion["events"][0]["entity_id"] == purchase["id"]
    assert conversion["events"][0]["uuid"] == "6a1f0c4e-8f0b-4a52-9a53-0f2f3a0f6f11"


async def test_an_outage_of_one_destination_delays_no_other_and_loses_nothing(
    scene: Scene, collector: Collector
) -> None:
    lost = Collector()
    await lost.start()
    await lost.close()
    scene.deliver_to(
        {"name": "up", "type": "webhook", "endpoint": f"{collector.url}/up", "batch_age_max": "10ms"},
        {"name": "down", "type": "webhook", "endpoint": f"{lost.url}/down", "batch_age_max": "10ms"},
    )
    await scene.start_beside()
    async with scene.channel() as channel:
        for number in range(20):
            await track(channel, f"event-{number}")
        assert await flush(channel, seconds=1) == {"down": 20}
        assert sum(len(json.loads(request.body)) for request in collector.taken) == 20
        await lost.start()
        assert await flush(channel, seconds=10) == {}
    arrived = [event["event_id"] for request in lost.taken for event in request.json()]
    assert arrived == [f"event-{number}" for number in range(20)]
    await lost.close()
