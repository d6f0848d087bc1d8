"""SIGKILL while callers track: what was accepted is delivered, whatever the moment of the kill.

`make crash ROUNDS=50` runs the long form; `-s` shows the numbers.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from itertools import count

import grpc
import pytest
from grpc import aio

from tests.collector import Collector
from tests.e2e.scene import Scene, event_ids, flush, track

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "5"))
CALLERS = 32


class Callers:
    """32 callers that track until their daemon is gone; `accepted` holds the ids that were answered."""

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.tried = 0
        self._numbers = count()

    async def run(self, scene: Scene) -> None:
        """Call until the daemon dies under every caller."""
        async with scene.channel(unix=True) as channel:
            await asyncio.gather(*(self._call(channel) for _ in range(CALLERS)))

    async def _call(self, channel: aio.Channel) -> None:
        while True:
            event_id = f"event-{next(self._numbers)}"
            self.tried += 1
            try:
                await track(channel, event_id)
            except grpc.RpcError:
                return
            self.accepted.add(event_id)


@pytest.mark.timeout(60 + ROUNDS * 5)
async def test_every_accepted_event_is_delivered_when_the_daemon_is_killed_while_32_callers_track(
    scene: Scene, collector: Collector
) -> None:
    rng = random.Random(7)
    scene.deliver_to({"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/events", "batch_age_max": "5ms"})
    callers = Callers()
    for _ in range(ROUNDS):
        await scene.start_beside()
        calling = asyncio.create_task(callers.run(scene))
        await asyncio.sleep(rng.uniform(0.05, 0.4))
        await asyncio.to_thread(scene.daemon.kill)
        await calling
    await scene.start_beside()
    async with scene.channel() as channel:
        assert await flush(channel, seconds=20) == {}
    delivered = Counter(id_ for request in collector.taken for id_ in event_ids(request))
    duplicates = sum(delivered.values()) - len(delivered)
    print(  # noqa: T201 - the numbers are what the test is read for
        f"\nkill -9: rounds {ROUNDS}, tried {callers.tried}, accepted {len(callers.accepted)}, "
        f"delivered {len(delivered)}, duplicates {duplicates}, lost {len(callers.accepted - delivered.keys())}"
    )
    assert len(callers.accepted) > ROUNDS * CALLERS, "the callers must have been at work"
    assert callers.accepted <= delivered.keys()
    assert await asyncio.to_thread(scene.daemon.stop) == 0
