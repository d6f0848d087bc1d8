"""Records that share a row: nothing about an event shows that its record did.

A body here has one byte an event, so that joined bodies are joined events, as `ports.Record.joins` wants it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from sidecar.errors import OutboxFull
from sidecar.limits import JOINED_BYTES_MAX, JOINED_EVENTS_MAX
from sidecar.outbox import FILE_NAME, DestinationBounds, Durability, SqliteOutbox
from sidecar.outbox.rows import event_bytes
from sidecar.ports import EncodedFacts, Outbox, Record, Settled
from sidecar.values import Outcome, OutcomeState
from tests.outbox.conftest import Opens
from tests.outbox.records import NOW_MS, TurnedClock, cursors, deliver

FACTS = EncodedFacts("41", b"41")
ANOTHER = EncodedFacts("42", b"42")
BOUNDS = DestinationBounds(bytes_max=10**9, dead_letter_bytes_max=10**9)


def joinable(
    body: bytes, *names: str, facts: EncodedFacts | None = FACTS, ids: Sequence[str] = (), joins: bool = True
) -> Record:
    """A record of one event a byte, each of which goes to all of these destinations."""
    every = (1 << len(body)) - 1
    outcomes = tuple((Outcome("a", OutcomeState.QUEUED),) for _ in ids)
    routes = tuple((name, every) for name in names or ("a",))
    return Record(body, facts, routes, len(body), NOW_MS, tuple(ids), outcomes, joins)


async def events(outbox: Outbox, destination: str = "a") -> bytes:
    """What a destination gets, a byte an event."""
    read = await outbox.read(destination, None, 100_000)
    return bytes(record.body[index] for record in read for index in record.indexes)


async def rows(outbox: Outbox, destination: str = "a") -> list[bytes]:
    await outbox.position()
    return [record.body for record in await outbox.read(destination, None, 100_000)]


async def test_offers_of_one_commit_that_go_the_same_way_share_rows_of_bounded_events(opened: Opens) -> None:
    outbox = await opened()
    body = bytes(at % 251 for at in range(JOINED_EVENTS_MAX + 1))
    for at in range(len(body)):
        outbox.offer(joinable(body[at : at + 1]))
    assert await rows(outbox) == [body[:-1], body[-1:]]


async def test_a_shared_row_is_bounded_in_bytes(opened: Opens) -> None:
    outbox = await opened()
    half = bytes(JOINED_BYTES_MAX // 2)
    for _ in range(3):
        # A large body of one event: what is behind its first byte is ballast.
        outbox.offer(structs.replace(joinable(b"x"), body=half))
    assert [len(row) for row in await rows(outbox)] == [2 * len(half), len(half)]


@pytest.mark.parametrize(
    "other",
    [
        joinable(b"y", facts=ANOTHER),
        joinable(b"y", facts=None),
        joinable(b"y", "b"),
        joinable(b"y", "a", "b"),
        joinable(b"y", joins=False),
        structs.replace(joinable(b"yz"), routes=(("a", 0b01),)),
    ],
    ids=["facts", "no-facts", "destination", "destinations", "unjoinable", "not-every-event"],
)
async def test_what_goes_another_way_has_a_row_of_its_own(opened: Opens, other: Record) -> None:
    outbox = await opened()
    for one in (joinable(b"x"), other, joinable(b"x")):
        outbox.offer(one)
    stored = [*await rows(outbox), *await rows(outbox, "b")]
    assert not [row for row in stored if len(row) > len(other.body)]


async def test_a_repeated_id_among_joined_ones_is_answered_and_left_out(opened: Opens) -> None:
    outbox = await opened()
    given_ids = ["1", "2", "1", "3"]
    appended = [
        asyncio.ensure_future(outbox.append(joinable(b"%d" % at, ids=(event_id,))))
        for at, event_id in enumerate(given_ids)
    ]
    answers = [(await one)[0] for one in appended]
    assert [answer is None for answer in answers] == [True, True, False, True]
    assert await events(outbox) == b"013"


async def test_a_repeat_among_joined_ones_is_known_as_one_where_nothing_is_to_be_said_of_it(opened: Opens) -> None:
    outbox = await opened()
    given = [structs.replace(joinable(b"x", ids=(event_id,)), outcomes=()) for event_id in ("1", "2", "1")]
    appended = [asyncio.ensure_future(outbox.append(one)) for one in given]
    assert [tuple(await one) for one in appended] == [(None,), (None,), ((),)]


async def test_routes_that_are_all_of_one_record_are_not_all_of_a_longer_one(opened: Opens) -> None:
    outbox = await opened()
    first = joinable(b"x")
    outbox.offer(first)
    # The very same routes: of two events, the first.
    outbox.offer(structs.replace(joinable(b"yz"), routes=first.routes))
    await outbox.position()
    assert await events(outbox) == b"xy"


async def test_one_event_of_a_shared_row_dies_and_comes_back_alone(opened: Opens) -> None:
    outbox = await opened()
    for letter in (b"p", b"q", b"r"):
        outbox.offer(joinable(letter))
    await outbox.position()
    first, second, third = cursors(await outbox.read("a", None, 10))
    await outbox.settle("a", [Settled(first), Settled(second, "REFUSED"), Settled(third)])
    (letter_,) = await outbox.dead_letters("a", 0, 10)
    assert bytes(letter_.record.body[index] for index in letter_.record.indexes) == b"q"
    assert await outbox.requeue("a", None) == 1
    assert await events(outbox) == b"q"
    assert await deliver(outbox) == 1
    (counts,) = [one for one in await outbox.counts() if one.destination == "a"]
    assert (counts.delivered, counts.pending, counts.pending_bytes, counts.dead) == (3, 0, 0, 0)
    assert counts.conserved


async def test_a_full_outbox_refuses_each_record_by_itself_and_takes_what_fits(tmp_path: Path) -> None:
    room_for = 3
    bounds = DestinationBounds(bytes_max=room_for * event_bytes(1, 1), dead_letter_bytes_max=10**6)
    outbox = await SqliteOutbox.open(
        tmp_path, durability=Durability.PROCESS, destinations={"a": bounds}, clock=TurnedClock()
    )
    appended = [asyncio.ensure_future(outbox.append(joinable(b"%d" % at))) for at in range(5)]
    answers = await asyncio.gather(*appended, return_exceptions=True)
    assert [isinstance(answer, OutboxFull) for answer in answers] == [False] * room_for + [True] * 2
    assert await events(outbox) == b"012"
    await outbox.close()


drawn = st.lists(
    st.builds(
        joinable,
        st.binary(min_size=1, max_size=5),
        st.sampled_from(("a", "b")),
        facts=st.sampled_from((FACTS, ANOTHER, None)),
        joins=st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=drawn, taken=st.integers(min_value=0, max_value=200))
async def test_joined_or_not_each_destination_gets_the_same_events_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record], taken: int
) -> None:
    directory = tmp_path_factory.mktemp("outbox")
    opening: dict[str, Any] = {
        "durability": Durability.PROCESS,
        "destinations": {"a": BOUNDS, "b": BOUNDS},
        "clock": TurnedClock(),
    }
    outbox = await SqliteOutbox.open(directory, **opening)
    for record in records:
        outbox.offer(record)
    await outbox.position()
    for name in ("a", "b"):
        wanted = b"".join(record.body for record in records if name in dict(record.routes))
        assert await events(outbox, name) == wanted
        # Up to the middle of a row, then again from there after a restart.
        settled = await deliver(outbox, name, taken) if taken else 0
        assert await events(outbox, name) == wanted[settled:]
    await outbox.close()
    outbox = await SqliteOutbox.open(directory, **opening)
    for name in ("a", "b"):
        while await deliver(outbox, name):
            pass
    for counts in await outbox.counts():
        assert counts.conserved
        assert (counts.pending, counts.pending_bytes) == (0, 0)
    await outbox.close()
    with sqlite3.connect(directory / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (0,)
        # But for the newest ones, which are kept a while, nothing holds facts.
        assert connection.execute("SELECT count(*) FROM facts WHERE records <> 0").fetchone() == (0,)
