"""The slots of deadlines: late calls end, ended ones are forgotten, many cost one timer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sidecar.transport.native.connection import NativeCall
from sidecar.transport.native.deadlines import SLOT_S, Deadlines


def a_call() -> NativeCall:
    nothing: Any = None
    return NativeCall(nothing, 1, 0, None)


class Watched:
    """Deadlines that keep the calls that were late, with the time."""

    def __init__(self) -> None:
        self.late: list[tuple[NativeCall, float]] = []
        self.one_more = asyncio.Event()
        self.deadlines = Deadlines(self._passed)

    def _passed(self, call: NativeCall) -> None:
        self.late.append((call, time.monotonic()))
        self.one_more.set()

    async def until_late(self, calls: int) -> list[NativeCall]:
        async with asyncio.timeout(5):
            while len(self.late) < calls:
                self.one_more.clear()
                await self.one_more.wait()
        return [call for call, _ in self.late]


async def test_calls_end_after_their_deadlines_in_order() -> None:
    watched, now_s = Watched(), time.monotonic()
    calls = {after_s: a_call() for after_s in (0.09, 0.03, 0.06)}
    for after_s, call in calls.items():
        watched.deadlines.watch(call, now_s + after_s)
    assert await watched.until_late(3) == [calls[0.03], calls[0.06], calls[0.09]]
    for after_s, (_, at_s) in zip((0.03, 0.06, 0.09), watched.late, strict=True):
        assert at_s >= now_s + after_s


async def test_call_that_ended_is_forgotten() -> None:
    watched, now_s = Watched(), time.monotonic()
    ended, late = a_call(), a_call()
    watched.deadlines.watch(ended, now_s + 0.01)
    watched.deadlines.watch(late, now_s + 0.03)
    watched.deadlines.forget(ended)
    watched.deadlines.forget(a_call())
    assert await watched.until_late(1) == [late]


async def test_deadline_in_the_past_ends_its_call_at_once() -> None:
    watched = Watched()
    call = a_call()
    watched.deadlines.watch(call, time.monotonic() - 100)
    assert await watched.until_late(1) == [call]


async def test_many_short_calls_with_far_deadlines_leave_nothing() -> None:
    watched, now_s = Watched(), time.monotonic()
    for number in range(10_000):
        call = a_call()
        watched.deadlines.watch(call, now_s + 3600 + number * SLOT_S)
        watched.deadlines.forget(call)
    assert len(watched.deadlines._order) < 1_000
    assert not watched.deadlines._slots
    watched.deadlines.close()
