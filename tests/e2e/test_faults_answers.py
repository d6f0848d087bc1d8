"""What a destination answers, against the whole process: nothing accepted is lost, and it recovers by itself.

What each answer must lead to: docs/operations.md "What happens when". The waits are shortened by configuration alone.
"""

from __future__ import annotations

import asyncio
import math
import random
import time

from tests.collector import Answered, Collector, Received
from tests.e2e.scene import Scene
from tests.e2e.traffic import Traffic, accept, all_arrived, hook, logged, metric, settled, tracks_of

REFUSED = Answered(400, body="no")
PAUSED = 'sidecar_delivery_paused{destination="hook"}'


async def test_callers_go_on_while_a_destination_is_down_and_all_arrives_once_when_it_is_back(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector))
    await collector.close()
    await scene.start_beside()
    async with traffic.running():
        await logged(scene, "destination_failing", destination="hook")
        await traffic.go_on(tracks=60)
        assert traffic.refused == traffic.undecided == {}
        await collector.start()
        await logged(scene, "destination_recovered", destination="hook")
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


async def test_what_is_pending_past_its_age_is_a_dead_letter_and_what_came_later_is_delivered(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector))
    scene.daemon.configuration["outbox"] = {"age_max": "500ms"}
    await collector.close()
    await scene.start_beside()
    await accept(traffic, 10)
    await logged(scene, "events_dead", reason="EXPIRED")
    assert (await settled(scene)).dead == 10
    await collector.start()
    late = Traffic(scene)
    async with scene.channel() as channel:
        await late.track(channel, "late", times=3)
    await all_arrived(late, collector)
    counts = await settled(scene)
    assert (counts.accepted, counts.delivered, counts.dead) == (13, 3, 10)


async def test_a_429_is_tried_again_no_sooner_than_its_retry_after(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector))
    collector.answers(Answered(429, headers={"Retry-After": "1"}))
    came_s: list[float] = []
    collector.listener = lambda _: came_s.append(time.monotonic())
    await scene.start_beside()
    await accept(traffic, 1)
    assert await all_arrived(traffic, collector) == 0
    assert came_s[1] - came_s[0] >= 1.0
    assert (await settled(scene)).dead == 0


async def test_a_storm_of_503_loses_nothing_and_keeps_each_users_order(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, batch_events_max=7))
    rng = random.Random(11)
    collector.judge = lambda _: Answered(rng.choice((503, 503, 500, 429, 200)))
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on(tracks=100)
    assert traffic.refused == traffic.undecided == {}
    collector.judge = None
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


async def test_one_poison_event_among_100_is_alone_a_dead_letter_after_few_requests(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, batch_events_max=100, batch_age_max="30s"))
    poison = ("caller", "caller-42")
    collector.judge = lambda request: REFUSED if poison in tracks_of([request]) else Answered()
    await scene.start_beside()
    await accept(traffic, 100)
    counts = await settled(scene)
    assert (counts.delivered, counts.dead) == (99, 1)
    arrived = tracks_of(collector.taken)
    assert arrived == [("caller", id_) for id_ in traffic.accepted["caller"] if id_ != poison[1]]
    assert len(collector.received) <= 2 * math.log2(100) + 2
    assert (await logged(scene, "events_dead", reason="REFUSED"))["status"] == 400


async def test_when_every_event_is_refused_the_destination_is_paused_and_none_dies(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, batch_events_max=100, batch_age_max="30s"))
    collector.default = REFUSED
    await scene.start_beside()
    await accept(traffic, 100)
    await logged(scene, "destination_paused", destination="hook")
    probed = len(collector.received)
    await collector.wait_for(probed + 2)
    assert (await settled(scene, pending=100)).dead == 0
    collector.default = Answered()
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0
    await logged(scene, "destination_resumed", destination="hook")


async def test_a_batch_that_is_too_large_for_the_destination_arrives_in_smaller_ones(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, batch_events_max=64, batch_age_max="30s"))
    collector.judge = lambda request: Answered(413 if len(request.json()) > 10 else 200)
    await scene.start_beside()
    await accept(traffic, 64)
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


async def test_a_redirect_is_not_followed_and_pauses(scene: Scene, collector: Collector, traffic: Traffic) -> None:
    elsewhere = Collector()
    await elsewhere.start()
    scene.deliver_to(hook(collector))
    collector.default = Answered(302, headers={"Location": f"{elsewhere.url}/hook"})
    await scene.start_beside()
    await accept(traffic, 3)
    await logged(scene, "destination_paused", destination="hook", status=302)
    await collector.wait_for(3)
    assert elsewhere.attempts == 0
    await elsewhere.close()
    collector.default = Answered()
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


async def test_a_401_pauses_and_alarms_and_the_next_probe_that_is_accepted_resumes(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector))
    collector.default = Answered(401)
    await scene.start_beside()
    async with traffic.running():
        alarm = await logged(scene, "destination_paused", destination="hook", status=401)
        assert alarm["level"] == "error"
        assert await metric(scene, PAUSED) == 1
        await traffic.go_on()
        collector.default = Answered()
        await logged(scene, "destination_resumed", destination="hook")
    assert traffic.refused == traffic.undecided == {}
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0
    assert await metric(scene, PAUSED) == 0


async def test_a_wrong_key_pauses_and_what_it_held_up_arrives_after_a_restart_with_the_right_one(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    def judge(request: Received) -> Answered:
        return Answered(200 if request.headers.get("X-Key") == "right" else 401)

    collector.judge = judge
    scene.deliver_to(hook(collector, headers={"X-Key": "wrong"}))
    await scene.start_beside()
    await accept(traffic, 5)
    await logged(scene, "destination_paused", destination="hook", status=401)
    assert await asyncio.to_thread(scene.daemon.stop) == 0
    assert tracks_of(collector.taken) == []
    scene.deliver_to(hook(collector, headers={"X-Key": "right"}))
    await scene.start_beside()
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).accepted == 5


async def test_a_destination_that_is_paused_and_full_does_not_hold_up_another(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    collector.judge = lambda request: Answered(401 if request.path == "/full" else 200)
    scene.deliver_to(hook(collector), hook(collector, name="full", endpoint=f"{collector.url}/full"))
    scene.daemon.configuration["outbox"] = {"bytes_max": "8KiB"}
    await scene.start_beside()
    async with traffic.running():
        await logged(scene, "destination_paused", destination="full")
        await traffic.until(lambda: traffic.accepted_count >= 300)
    assert traffic.refused == traffic.undecided == {}
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0
    full = await settled(scene, pending=await pending_at(scene, "full"), destination="full")
    assert full.pending_bytes <= 8 * 1024
    assert full.dead == full.accepted - full.pending > 0


async def pending_at(scene: Scene, destination: str) -> int:
    return int(await metric(scene, f'sidecar_outbox_pending{{destination="{destination}"}}'))
