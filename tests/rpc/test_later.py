"""A reply that waits for one future, as any wire may wait for it."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.rpc.methods import Later


async def test_it_is_awaited_as_what_is_made_of_the_future() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(_awaited(Later(future, lambda number: b"%d" % number)))
    await asyncio.sleep(0)
    future.set_result(7)
    assert await waiting == b"7"


async def test_a_caller_who_gives_up_leaves_what_happens_to_happen_and_to_be_counted() -> None:
    made: list[int] = []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def make(number: int) -> bytes:
        made.append(number)
        return b""

    waiting = asyncio.ensure_future(_awaited(Later(future, make)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not future.cancelled()
    future.set_result(7)
    await asyncio.sleep(0)
    assert made == [7]


async def test_a_failure_that_nobody_waits_for_is_said_to_nobody() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(_awaited(Later(future, bytes)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    future.set_exception(ValueError("refused"))
    await asyncio.sleep(0)
    assert isinstance(future.exception(), ValueError)


async def _awaited(later: Later[int]) -> bytes:
    return await later
