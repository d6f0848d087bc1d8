"""What `ports.Outbox` promises, for the fake and for SQLite in each durability."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from sidecar.errors import OutboxFull
from sidecar.outbox import DestinationBounds
from sidecar.outbox.rows import event_bytes
from sidecar.ports import Cursor, EncodedFacts, Outbox, Settled
from tests.outbox.conftest import Makes
from tests.outbox.records import NOW_MS, TurnedClock, bodies, cursors, deliver, kill, record

FACTS = EncodedFacts("42", b"\x00\xfffacts")
SIZE = event_bytes(1, 1)
"""Of one event of a one-byte record."""


async def reasons(outbox: Outbox, destination: str = "a") -> list[tuple[bytes, str]]:
    letters = await outbox.dead_letters(destination, 0, 1000)
    return [(letter.record.body, letter.reason) for letter in letters]


async def test_what_is_offered_and_appended_is_read_in_the_order_given(made: Makes) -> None:
    outbox = await made()
    appended = []
    for number in range(0, 200, 2):
        assert outbox.offer(record(b"%d" % number))
        appended.append(asyncio.ensure_future(outbox.append(record(b"%d" % (number + 1)))))
        await asyncio.sleep(0)
    await asyncio.gather(*appended)
    await outbox.position()
    assert await bodies(outbox) == [b"%d" % number for number in range(200)]


async def test_an_append_answers_none_for_each_event_that_is_queued(made: Makes) -> None:
    outbox = await made()
    assert list(await outbox.append(record(b"x", routes=(("a", 0b101),), events=3))) == [None, None, None]
    assert outbox.pending("a") == 2


async def test_a_read_gives_body_facts_receipt_and_the_events_of_that_destination(made: Makes) -> None:
    outbox = await made()
    body = bytes(range(256))
    await outbox.append(record(b"first", routes=(("b", 1),)))
    taken = record(b"x", routes=(("a", 0b101), ("b", 0b010)), events=3, facts=FACTS, received_ms=7)
    await outbox.append(structs.replace(taken, body=body))
    (read,) = await outbox.read("a", None, 10)
    assert read[1:] == (body, FACTS, (0, 2), 7)
    assert [one.indexes for one in await outbox.read("b", None, 10)] == [(0,), (1,)]


async def test_a_read_ends_inside_a_record_and_goes_on_after_the_cursor(made: Makes) -> None:
    outbox = await made()
    await outbox.append(record(b"x", routes=(("a", 0b1111),), events=4))
    await outbox.append(record(b"y"))
    (first,) = await outbox.read("a", None, 3)
    assert first.indexes == (0, 1, 2)
    rest = await outbox.read("a", Cursor(first.record_id, 2), 3)
    assert [(one.body, one.indexes) for one in rest] == [(b"x", (3,)), (b"y", (0,))]


async def test_reading_changes_nothing(made: Makes) -> None:
    outbox = await made()
    await outbox.append(record(b"x"))
    assert await outbox.read("a", None, 10) == await outbox.read("a", None, 10)
    assert outbox.pending("a") == 1


async def test_settled_events_are_counted_and_not_read_again(made: Makes) -> None:
    outbox = await made()
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body))
    assert await deliver(outbox, events_max=2) == 2
    assert await bodies(outbox) == [b"3"]
    counts = (await outbox.counts())[0]
    assert (counts.accepted, counts.delivered, counts.pending) == (3, 2, 1)
    assert counts.pending_bytes == SIZE


async def test_settling_twice_counts_once(made: Makes) -> None:
    outbox = await made()
    await outbox.append(record(b"x"))
    settled = [Settled(cursor) for cursor in cursors(await outbox.read("a", None, 10))]
    await outbox.settle("a", settled)
    await outbox.settle("a", settled)
    assert (await outbox.counts())[0].delivered == 1


async def test_settling_past_an_older_pending_event_is_refused(made: Makes) -> None:
    outbox = await made()
    await outbox.append(record(b"x", routes=(("a", 0b11),), events=2))
    newest = cursors(await outbox.read("a", None, 10))[-1]
    with pytest.raises(ValueError):  # noqa: PT011 - the port names no narrower one
        await outbox.settle("a", [Settled(newest)])
    assert outbox.pending("a") == 2


async def test_one_destination_does_not_hold_back_another(made: Makes) -> None:
    outbox = await made()
    for _ in range(3):
        await outbox.append(record(b"x", routes=(("a", 1), ("b", 1))))
    await deliver(outbox, "a")
    assert (outbox.pending("a"), outbox.pending("b")) == (0, 3)


async def test_a_refused_event_becomes_a_dead_letter_that_says_why(made: Makes, clock: TurnedClock) -> None:
    outbox = await made()
    await outbox.append(record(b"x", routes=(("a", 0b11),), events=2, facts=FACTS))
    clock.turned_ms += 5
    first, second = cursors(await outbox.read("a", None, 10))
    await outbox.settle("a", [Settled(first), Settled(second, "TOO_LARGE", "33 KB, wanted 32", 413, 3)])
    (letter,) = await outbox.dead_letters("a", 0, 10)
    assert letter.record[1:] == (b"x", FACTS, (1,), NOW_MS)
    assert letter[3:] == ("TOO_LARGE", "33 KB, wanted 32", 413, NOW_MS + 5, 3)
    counts = (await outbox.counts())[0]
    assert (counts.delivered, counts.dead, counts.conserved) == (1, 1, True)


async def test_dead_letters_are_paged_by_id(made: Makes) -> None:
    outbox = await made()
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body))
        await kill(outbox)
    first = await outbox.dead_letters("a", 0, 2)
    rest = await outbox.dead_letters("a", first[-1].dead_id, 2)
    assert [letter.record.body for letter in (*first, *rest)] == [b"1", b"2", b"3"]


async def test_a_requeued_dead_letter_goes_to_the_end_with_its_receipt(made: Makes, clock: TurnedClock) -> None:
    outbox = await made()
    await outbox.append(record(b"1", facts=FACTS))
    await kill(outbox)
    await outbox.append(record(b"2"))
    clock.turned_ms += 1000
    assert await outbox.requeue("a", None) == 1
    read = await outbox.read("a", None, 10)
    assert [(one.body, one.received_ms) for one in read] == [(b"2", NOW_MS), (b"1", NOW_MS)]
    counts = (await outbox.counts())[0]
    assert (counts.accepted, counts.dead, counts.pending, counts.conserved) == (2, 0, 2, True)


async def test_events_of_one_record_are_requeued_together(made: Makes) -> None:
    outbox = await made()
    await outbox.append(record(b"x", routes=(("a", 0b111),), events=3))
    await kill(outbox, events_max=3)
    letters = await outbox.dead_letters("a", 0, 10)
    assert await outbox.requeue("a", [letters[0].dead_id, letters[2].dead_id, 10**6]) == 2
    assert [one.indexes for one in await outbox.read("a", None, 10)] == [(0, 2)]
    assert (await outbox.counts())[0].dead == 1


async def test_a_requeued_event_is_not_expired_by_its_old_receipt(made: Makes, clock: TurnedClock) -> None:
    outbox = await made()
    await outbox.append(record(b"x"))
    clock.turned_ms += 10_000
    assert await outbox.expire("a", NOW_MS + 1) == 1
    assert await reasons(outbox) == [(b"x", "EXPIRED")]
    await outbox.requeue("a", None)
    assert await outbox.expire("a", NOW_MS + 1) == 0


async def test_requeueing_stops_at_the_bound(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=2 * SIZE))
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body))
        await kill(outbox)
    assert await outbox.requeue("a", None) == 2
    assert await bodies(outbox) == [b"1", b"2"]


async def test_purged_dead_letters_are_counted_as_dropped(made: Makes) -> None:
    outbox = await made()
    for body in (b"1", b"2"):
        await outbox.append(record(body))
        await kill(outbox)
    newest = (await outbox.dead_letters("a", 0, 10))[-1]
    assert await outbox.purge("a", [newest.dead_id]) == 1
    assert await outbox.purge("a", None) == 1
    counts = (await outbox.counts())[0]
    assert (counts.dead, counts.dropped, counts.conserved) == (0, {"PURGED": 2}, True)


async def test_expire_takes_the_old_and_leaves_the_young(made: Makes) -> None:
    outbox = await made()
    for received_ms in (1, 2, 3):
        await outbox.append(record(b"%d" % received_ms, received_ms=received_ms))
    assert await outbox.expire("a", 3) == 2
    assert await bodies(outbox) == [b"3"]
    assert (await outbox.counts())[0].oldest_pending_ms == 3


async def test_a_record_is_refused_when_its_only_destination_is_full(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=2 * SIZE), b=DestinationBounds())
    await outbox.append(record(b"1"))
    await outbox.append(record(b"2"))
    with pytest.raises(OutboxFull) as refused:
        await outbox.append(record(b"3"))
    assert refused.value.limit_bytes == 2 * SIZE
    assert await bodies(outbox) == [b"1", b"2"]


async def test_a_full_destination_gives_up_its_oldest_for_a_record_that_another_takes(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=2 * SIZE), b=DestinationBounds())
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body, routes=(("a", 1), ("b", 1))))
    assert await bodies(outbox, "a") == [b"2", b"3"]
    assert await bodies(outbox, "b") == [b"1", b"2", b"3"]
    assert await reasons(outbox) == [(b"1", "OVERFLOW")]
    assert all(counts.conserved for counts in await outbox.counts())


async def test_an_event_evicted_while_its_batch_is_in_flight_is_passed_over(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(bytes_max=2 * SIZE), b=DestinationBounds())
    for body in (b"1", b"2"):
        await outbox.append(record(body))
    in_flight = cursors(await outbox.read("a", None, 2))
    await outbox.append(record(b"3", routes=(("a", 1), ("b", 1))))
    await outbox.settle("a", [Settled(cursor) for cursor in in_flight])
    counts = (await outbox.counts())[0]
    assert (counts.delivered, counts.dead, counts.pending, counts.conserved) == (1, 1, 1, True)


async def test_dead_letters_past_their_bound_drop_the_oldest(made: Makes) -> None:
    outbox = await made(a=DestinationBounds(dead_letter_bytes_max=2 * SIZE))
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body))
        await kill(outbox)
    assert await reasons(outbox) == [(b"2", "REFUSED"), (b"3", "REFUSED")]
    counts = (await outbox.counts())[0]
    assert (counts.dead_bytes, counts.dropped, counts.conserved) == (2 * SIZE, {"DEAD_LETTERS_FULL": 1}, True)


async def test_left_counts_what_was_accepted_before_a_position(made: Makes) -> None:
    outbox = await made()
    for body in (b"1", b"2"):
        assert outbox.offer(record(body, routes=(("a", 0b11),), events=2))
    through = await outbox.position()
    await outbox.append(record(b"3"))
    await deliver(outbox, events_max=1)
    assert await outbox.left("a", through) == 3
    await deliver(outbox)
    assert await outbox.left("a", through) == 0


async def test_arrival_returns_when_an_event_is_pending_and_waits_while_none_is(made: Makes) -> None:
    outbox = await made()
    waiting = asyncio.ensure_future(outbox.arrival("a"))
    await outbox.append(record(b"x", routes=(("b", 1),)))
    assert not waiting.done()
    assert outbox.offer(record(b"y"))
    await waiting
    await outbox.arrival("a")
    await deliver(outbox)
    again = asyncio.ensure_future(outbox.arrival("a"))
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()


async def test_a_record_for_nobody_is_accepted_and_only_its_id_remembered(made: Makes) -> None:
    outbox = await made()
    nobody = record(b"x", routes=(), ids=("id",))
    assert list(await outbox.append(nobody)) == [None]
    assert list(await outbox.append(nobody)) == [nobody.outcomes[0]]
    assert await outbox.position() == 0


async def test_offers_after_close_are_refused(made: Makes) -> None:
    outbox = await made()
    await outbox.close()
    await outbox.close()
    assert not outbox.offer(record(b"x"))
