"""Many `DecideMany` at once: so many users are under way at a time, the other calls wait in order and unread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from grpc import aio

from sidecar import limits
from sidecar.pb import decision_pb2
from sidecar.rpc import decision, many
from sidecar.rpc.methods import Refusal
from tests.rpc.test_decide_many import MANY, user
from tests.rpc.test_decision import ScriptedCall
from tests.support.served import Served, serving

pytestmark = pytest.mark.usefixtures("wire")

MOST = 6
SOON_S = 20.0


class Door:
    """Stands where a request is read: notes whose turn it is, and lets nobody through while it is shut."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.places = asyncio.Event(), many.Places()
        self.came: list[str] = []
        self.under_way = self.most = 0

        async def read(request: bytes, *more: Any) -> Any:
            users = decision_pb2.DecideManyRequest.FromString(request).users
            self.came.append(users[0].user_id)
            self.under_way += len(users)
            self.most = max(self.most, self.under_way)
            await self.open.wait()
            return await many.read_many(request, *more)

        async def answer(asked: many.ManyUsers, *more: Any) -> bytes:
            try:
                return await many.answer_many(asked, *more)
            finally:
                self.under_way -= len(asked.asked)

        monkeypatch.setattr(decision, "read_many", read)
        monkeypatch.setattr(decision, "answer_many", answer)
        monkeypatch.setattr(decision, "Places", lambda: self.places)

    async def until(self, *, reading: int, waiting: int) -> None:
        """Until so many calls came to be read, and so many wait for places."""
        async with asyncio.timeout(SOON_S):
            while (len(self.came), self.places.waiting) != (reading, waiting):
                await asyncio.sleep(0.001)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(limits, "USERS_AT_A_TIME_MAX", MOST)
    return Door(monkeypatch)


@pytest_asyncio.fixture
async def guarded(tmp_path: Path, wire: str, door: Door) -> AsyncIterator[Served]:
    async with serving(tmp_path) as one:
        yield one


def request_of(name: str, users: int) -> decision_pb2.DecideManyRequest:
    return decision_pb2.DecideManyRequest(users=[user(f"{name}{at}") for at in range(users)])


def call(served: Served, name: str, users: int) -> Any:
    """A call through the wire: its users are called by its name."""
    unary: Any = served.channel.unary_unary(MANY)
    return unary(request_of(name, users).SerializeToString(), timeout=SOON_S)


def results(replies: Sequence[bytes]) -> list[int]:
    return [len(decision_pb2.DecideManyResponse.FromString(one).results) for one in replies]


async def test_no_more_users_are_under_way_than_the_bound_says(guarded: Served, door: Door) -> None:
    calls = [call(guarded, f"c{at}-", 2) for at in range(12)]
    await door.until(reading=MOST // 2, waiting=12 - MOST // 2)
    door.open.set()
    assert results([await one for one in calls]) == [2] * 12
    assert (door.most, door.under_way, door.places.taken) == (MOST, 0, 0)
    assert len({event.origin.user_id for event in await guarded.events()}) == 24


async def test_a_call_alone_is_taken_whatever_its_size(guarded: Served, door: Door) -> None:
    door.open.set()
    assert results([await call(guarded, "large", MOST * 3)]) == [MOST * 3]


async def test_calls_are_taken_in_order_so_that_small_ones_do_not_pass_a_large_one(guarded: Served, door: Door) -> None:
    calls = [call(guarded, "first", MOST - 1)]
    await door.until(reading=1, waiting=0)
    # The second has no room, and the third would have: it waits behind.
    for at, (name, users) in enumerate((("second", MOST), ("third", 1), ("fourth", 1)), 1):
        calls.append(call(guarded, name, users))
        await door.until(reading=1, waiting=at)
    door.open.set()
    await asyncio.gather(*calls)
    assert door.came == ["first0", "second0", "third0", "fourth0"]


async def test_one_who_gives_up_while_it_waits_decides_nothing_and_lets_those_behind_it_in(
    guarded: Served, door: Door
) -> None:
    first = call(guarded, "first", MOST - 1)
    await door.until(reading=1, waiting=0)
    second = call(guarded, "second", MOST)
    await door.until(reading=1, waiting=1)
    third = call(guarded, "third", 1)
    await door.until(reading=1, waiting=2)
    second.cancel()
    # The third fits beside the first, now that nobody stands between them.
    await door.until(reading=2, waiting=0)
    door.open.set()
    assert results(await asyncio.gather(first, third)) == [MOST - 1, 1]
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not [event for event in await guarded.events() if event.origin.user_id.startswith("second")]
    assert door.places.taken == 0


async def test_one_whose_deadline_passes_while_it_waits_decides_nothing(guarded: Served, door: Door) -> None:
    first = call(guarded, "first", MOST)
    await door.until(reading=1, waiting=0)
    unary: Any = guarded.channel.unary_unary(MANY)
    with pytest.raises(aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await unary(request_of("late", 1).SerializeToString(), timeout=0.2)
    await door.until(reading=1, waiting=0)
    door.open.set()
    await first
    assert door.came == ["first0"]
    assert door.places.taken == 0


async def test_one_that_is_late_when_its_turn_comes_is_not_read(guarded: Served, door: Door) -> None:
    method: Any = guarded.parts.table[MANY]
    first = call(guarded, "first", MOST)
    await door.until(reading=1, waiting=0)
    late = asyncio.ensure_future(
        method.handler(request_of("late", 1).SerializeToString(), ScriptedCall(cancelled=True))
    )
    await door.until(reading=1, waiting=1)
    door.open.set()
    await first
    with pytest.raises(Refusal, match="cancelled"):
        await late
    assert door.came == ["first0"]
    assert door.places.taken == 0


async def test_too_many_users_are_refused_without_waiting(guarded: Served, door: Door) -> None:
    first = call(guarded, "first", MOST)
    await door.until(reading=1, waiting=0)
    refused = await guarded.refused(MANY, b"\x0a\x00" * 1_000_000)
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ["users"])
    assert door.came == ["first0"]
    door.open.set()
    await first


async def test_places_given_to_one_who_gives_up_in_the_same_turn_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "USERS_AT_A_TIME_MAX", 1)
    places, given = many.Places(), list[str]()

    async def hold(name: str) -> None:
        async with places.of(1):
            given.append(name)

    async with places.of(1):
        given_up, behind = asyncio.create_task(hold("given up")), asyncio.create_task(hold("behind"))
        while places.waiting < 2:
            await asyncio.sleep(0)
    # It has them, and has not run since.
    assert (places.taken, places.waiting) == (1, 1)
    given_up.cancel()
    await asyncio.wait([given_up, behind])
    assert (given, places.taken, places.waiting) == (["behind"], 0, 0)
