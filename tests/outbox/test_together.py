"""What `ports.Outbox.append_together` promises, for the fake and for SQLite: several records, all or none."""

from __future__ import annotations

import pytest

from sidecar.errors import OutboxFull, OutboxUnwritable
from sidecar.outbox import DestinationBounds
from sidecar.outbox.rows import event_bytes
from sidecar.ports import EncodedFacts
from tests.outbox.conftest import Makes, Opens
from tests.outbox.records import bodies, deliver, fill_disk, record, sql

SIZE = event_bytes(1, 1)


async def test_records_are_read_in_their_order_each_with_its_own_facts(made: Makes) -> None:
    outbox = await made()
    facts = [EncodedFacts(key, key.encode()) for key in ("one", "other")]
    answers = await outbox.append_together(
        [record(b"1", facts=facts[0]), record(b"2", routes=(("a", 0b11),), events=2, facts=facts[1])]
    )
    assert list(answers) == [None, None, None]
    read = await outbox.read("a", None, 10)
    assert [(one.body, one.facts, one.indexes) for one in read] == [(b"1", facts[0], (0,)), (b"2", facts[1], (0, 1))]


async def test_none_is_taken_when_the_last_has_no_room_behind_the_others(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=2 * SIZE))
    with pytest.raises(OutboxFull):
        await outbox.append_together([record(b"1"), record(b"2", ids=("id",)), record(b"3")])
    assert await bodies(outbox) == []
    assert (await outbox.counts())[0].accepted == 0
    assert list(await outbox.append_together([record(b"1"), record(b"2", ids=("id",))])) == [None, None]


async def test_one_destination_with_room_is_enough_for_a_record(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=SIZE), b=DestinationBounds())
    both = (("a", 1), ("b", 1))
    await outbox.append_together([record(b"1", routes=both), record(b"2", routes=both)])
    assert await bodies(outbox, "b") == [b"1", b"2"]
    assert await bodies(outbox) == [b"2"]


async def test_the_first_body_of_an_id_wins_over_records_and_earlier_calls(made: Makes) -> None:
    outbox = await made()
    early, first = record(b"e", ids=("early",)), record(b"f", ids=("id",))
    await outbox.append(early)
    again = record(b"x", routes=(("a", 0b111),), events=3, ids=("id", "early", "new"))
    answers = await outbox.append_together([first, again])
    assert list(answers) == [None, first.outcomes[0], early.outcomes[0], None]
    assert [(one.body, one.indexes) for one in await outbox.read("a", None, 10)] == [
        (b"e", (0,)),
        (b"f", (0,)),
        (b"x", (2,)),
    ]


async def test_the_ids_of_refused_records_are_unused(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=SIZE))
    with pytest.raises(OutboxFull):
        await outbox.append_together([record(b"1", ids=("one",)), record(b"2", ids=("two",))])
    for event_id in ("one", "two"):
        assert list(await outbox.append(record(b"x", ids=(event_id,)))) == [None]
        await deliver(outbox)


async def test_none_is_taken_when_the_disk_refuses(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1"))
    await fill_disk(outbox)
    with pytest.raises(OutboxUnwritable):
        await outbox.append_together([record(b"2", ids=("id",)), record(b"3" * 100_000)])
    await sql(outbox, "PRAGMA max_page_count = 100000")
    assert await bodies(outbox) == [b"1"]
    assert list(await outbox.append_together([record(b"4", ids=("id",))])) == [None]
