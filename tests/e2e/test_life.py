"""Start and stop of the process: what it says, what it takes and what it leaves at each step."""

from __future__ import annotations

import asyncio
import signal
import time

import grpc
import pytest
from grpc import aio

from tests.collector import Answered, Collector
from tests.e2e.scene import Scene, decide, event_ids, track
from tests.support.refusals import said

pytestmark = pytest.mark.usefixtures("wire")


async def decide_for_ever(channel: aio.Channel) -> None:
    """Decide until a call is refused."""
    async with asyncio.timeout(5):
        while True:
            await decide(channel, "user-3", "paywall")


async def test_after_sigterm_calls_are_taken_for_the_stop_delay_then_refused_with_stopping(scene: Scene) -> None:
    scene.daemon.configuration["stop_delay"] = "700ms"
    await scene.start_beside()
    async with scene.channel() as channel:
        await decide(channel, "user-3", "paywall")
        scene.daemon.terminate()
        await asyncio.to_thread(scene.daemon.wait_for_health, "NOT_SERVING")
        assert (await decide(channel, "user-3", "paywall")).revision == "41"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await decide_for_ever(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert said(refused.value).reason == "STOPPING"
    assert await asyncio.to_thread(scene.daemon.wait) == 0


async def test_what_was_accepted_before_sigterm_is_delivered_before_the_process_ends(
    scene: Scene, collector: Collector
) -> None:
    collector.answers(Answered(delay_s=0.3))
    scene.deliver_to({"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/e", "batch_age_max": "30s"})
    scene.daemon.configuration["drain"] = "10s"
    await scene.start_beside()
    async with scene.channel() as channel:
        await track(channel, "event-1")
    assert await asyncio.to_thread(scene.daemon.stop) == 0
    assert [event_ids(request) for request in collector.taken] == [["event-1"]]


async def test_a_second_signal_skips_delay_and_drain_and_the_next_start_delivers(
    scene: Scene, collector: Collector
) -> None:
    await collector.close()
    scene.deliver_to({"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/e", "batch_age_max": "10ms"})
    scene.daemon.configuration.update(stop_delay="60s", drain="60s")
    await scene.start_beside()
    async with scene.channel() as channel:
        await track(channel, "event-1")
    scene.daemon.terminate()
    await asyncio.to_thread(scene.daemon.wait_for_log, "stopping")
    began = time.monotonic()
    scene.daemon.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(scene.daemon.wait) == 0
    assert time.monotonic() - began < 10
    await collector.start()
    await scene.start_beside()
    await collector.wait_for(1)
    assert event_ids(collector.received[0]) == ["event-1"]


async def test_it_is_not_ready_until_its_datafile_is_there_and_takes_events_meanwhile(
    scene: Scene, collector: Collector
) -> None:
    scene.deliver_to({"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/e", "batch_age_max": "10ms"})
    await asyncio.to_thread(lambda: scene.daemon.start(serving=False))
    async with scene.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await decide(channel, "user-3", "paywall")
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        await track(channel, "event-1")
        await collector.wait_for(1)
        await asyncio.to_thread(scene.daemon.wait_for_health, "NOT_SERVING")
        scene.datafile.write_text("{")
        scene.datafile.unlink()
        scene.start_datafile()
        await asyncio.to_thread(scene.daemon.wait_for_health, "SERVING")
        assert (await decide(channel, "user-3", "paywall")).revision == "41"


async def test_a_second_process_on_the_same_data_directory_exits_and_names_the_holder(scene: Scene) -> None:
    daemon = await scene.start_beside()
    other = scene.second_daemon()
    assert await asyncio.to_thread(lambda: other.spawn().wait()) == 1
    assert f"pid {daemon.pid}" in other.log
