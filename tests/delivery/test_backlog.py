"""What a lane holds of its queue: a batch, however much is pending."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sidecar.delivery.backlog import Backlog
from sidecar.delivery.turns import Turns
from sidecar.destinations.http import HttpClient
from sidecar.ports import Cursor, StoredRecord
from tests.collector import Collector
from tests.delivery.world import World, a_hook
from tests.events.samples import a_track

EVENT_BYTES = 50_000
BATCH_BYTES = 4 * EVENT_BYTES


async def test_large_events_are_read_ahead_to_one_batch_of_bytes(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = HttpClient()
    hook = a_hook(collector, client, batch_events_max=100, batch_bytes_max=BATCH_BYTES)
    world = World([hook])
    for number in range(100):
        large = a_track(event_id=f"e{number}", properties={"text": "x" * (EVENT_BYTES - 1_000)})
        await world.accept(large)
    read: list[int] = []

    async def counted(destination: str, after: Cursor | None, events_max: int) -> Sequence[StoredRecord]:
        # As the outbox does, which ends a read at its own bound of bytes.
        some = await ask(destination, after, min(events_max, 8))
        read.append(len(some))
        return some

    ask = world.outbox.read
    monkeypatch.setattr(world.outbox, "read", counted)
    backlog = Backlog(hook, world.outbox, world.codec, Turns(lambda: 0))
    taken = 0
    for _ in range(10):
        await backlog.fill()
        taken += len(backlog.take())
        assert sum(read) - taken <= 8, "no more is held than one read brings beside a batch"
    assert taken >= 20
    await client.close()
