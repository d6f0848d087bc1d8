"""What happens to the process: stopped, without descriptors, its clock stepped, killed again and again."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.collector import Answered, Collector, Fault
from tests.e2e.scene import Scene
from tests.e2e.traffic import Traffic, all_arrived, hook, logged, settled
from tests.support.faulty import MISSING, FaultyLayer

HOUR_S = 3600
STOPPED_S = float(os.environ.get("STOPPED_S", "2"))
KILLS = int(os.environ.get("KILLS", "3"))
"""`make faults` takes 10 s and more rounds."""
TROUBLE = (
    Answered(503),
    Answered(429),
    Answered(delay_s=0.05),
    Answered(fault=Fault.LOSE),
    Answered(fault=Fault.DROP),
    Answered(),
    Answered(),
)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
async def test_a_clock_that_steps_an_hour_back_and_forth_loses_nothing_and_stops_no_delivery(
    scene: Scene, collector: Collector, traffic: Traffic, tmp_path: Path
) -> None:
    layer = FaultyLayer(tmp_path)
    scene.daemon.environment.update(layer.environment())
    scene.deliver_to(hook(collector))
    await scene.start_beside()
    async with traffic.running():
        for seconds in (HOUR_S, -HOUR_S, 0):
            collector.answers(503)
            await traffic.go_on()
            layer.set_clock_ahead(seconds)
            await traffic.go_on()
            await all_arrived(traffic, collector)
    assert traffic.refused == traffic.undecided == {}
    assert await all_arrived(traffic, collector) == 0
    assert (await settled(scene)).dead == 0


@pytest.mark.timeout(60 + 2 * STOPPED_S)
async def test_a_process_that_was_stopped_goes_on_where_it_was(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector, timeout="1s"))
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on()
        scene.daemon.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        scene.daemon.process.send_signal(signal.SIGCONT)
        await traffic.go_on()
    # A call may run into its caller's deadline; it is never answered wrongly.
    assert set(traffic.refused) | set(traffic.undecided) <= {"DEADLINE_EXCEEDED"}
    await all_arrived(traffic, collector)
    assert (await settled(scene)).dead == 0


async def test_without_file_descriptors_calls_that_are_connected_go_on_and_new_ones_come_in_when_there_are_some(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    scene.deliver_to(hook(collector))
    await scene.start_beside()
    async with traffic.running():
        await traffic.go_on()
        with few_descriptors(scene, spare=8), ExitStack() as open_sockets:
            # Delivery loses its connection too, and can open no other.
            await collector.close()
            crowd(scene, open_sockets, connections=40)
            await logged(scene, "destination_failing", destination="hook")
            await collector.start()
            await traffic.go_on()
        assert traffic.refused == traffic.undecided == {}
        newcomer = Traffic(scene)
        async with scene.channel() as channel:
            await newcomer.track(channel, "newcomer")
        assert newcomer.accepted_count == 1
    await all_arrived(traffic, collector)
    await all_arrived(newcomer, collector)
    assert (await settled(scene)).dead == 0


@pytest.mark.timeout(60 + KILLS * 10)
async def test_each_users_order_holds_over_random_failures_and_kills(
    scene: Scene, collector: Collector, traffic: Traffic
) -> None:
    rng = random.Random(5)
    scene.deliver_to(hook(collector, batch_events_max=20, timeout="500ms"))
    collector.judge = lambda _: rng.choice(TROUBLE)
    for _ in range(KILLS):
        await scene.start_beside()
        async with traffic.running(callers=8):
            await traffic.go_on(tracks=100)
            scene.daemon.kill()
    await scene.start_beside()
    collector.judge = None
    duplicates = await all_arrived(traffic, collector)
    counts = await settled(scene)
    print(f"\nkills {KILLS}, accepted {traffic.accepted_count}, duplicates {duplicates}, lost 0")  # noqa: T201 - the numbers
    assert counts.dead == 0
    assert counts.accepted == counts.delivered >= traffic.accepted_count


@contextmanager
def few_descriptors(scene: Scene, spare: int) -> Iterator[None]:
    """The daemon may open so many more files and no others, within."""
    pid = scene.daemon.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # The limit is on the highest number, not on how many are open.
    highest = max(int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir())
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + spare, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def crowd(scene: Scene, stack: ExitStack, connections: int) -> None:
    """Connections that say nothing and take what descriptors there are; the kernel takes those that are too many."""
    host, _, port = scene.daemon.address.rpartition(":")
    for _ in range(connections):
        stack.enter_context(socket.create_connection((host, int(port)), timeout=5))
