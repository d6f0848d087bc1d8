"""What `ports.Outbox` promises of ids that callers chose, for the fake and for SQLite."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.errors import OutboxFull
from sidecar.outbox import DestinationBounds
from sidecar.outbox.rows import event_bytes
from tests.outbox.conftest import Makes
from tests.outbox.records import bodies, deliver, record

SIZE = event_bytes(1, 1)


async def test_a_repeated_id_is_answered_with_the_first_outcomes_and_not_queued(made: Makes) -> None:
    outbox = await made()
    first = record(b"first", ids=("id",))
    assert list(await outbox.append(first)) == [None]
    assert list(await outbox.append(record(b"other", ids=("id",)))) == [first.outcomes[0]]
    assert await bodies(outbox) == [b"first"]
    assert (await outbox.counts())[0].accepted == 1


async def test_a_repeat_is_recognised_among_records_of_one_commit(made: Makes) -> None:
    outbox = await made()
    first = record(b"first", ids=("id",))
    answers = await asyncio.gather(outbox.append(first), outbox.append(record(b"other", ids=("id",))))
    assert [list(answer) for answer in answers] == [[None], [first.outcomes[0]]]
    assert await bodies(outbox) == [b"first"]


async def test_a_repeat_inside_one_record_leaves_the_first_event(made: Makes) -> None:
    outbox = await made()
    both = record(b"x", routes=(("a", 0b111),), events=3, ids=("id", "", "id"))
    assert list(await outbox.append(both)) == [None, None, both.outcomes[0]]
    assert [one.indexes for one in await outbox.read("a", None, 10)] == [(0, 1)]


async def test_a_refused_record_leaves_its_id_unused(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=SIZE))
    await outbox.append(record(b"1"))
    with pytest.raises(OutboxFull):
        await outbox.append(record(b"2", ids=("id",)))
    await deliver(outbox)
    assert list(await outbox.append(record(b"2", ids=("id",)))) == [None]
