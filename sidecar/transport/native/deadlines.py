"""Deadlines of calls that wait: slots of 10 ms on one timer for the whole wire, instead of a timer a call.

A call ends up to one slot after its deadline, never before. Unary calls that answer at once are never here.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Final

from sidecar.transport.native.connection import NativeCall

SLOT_S: Final = 0.01
_STALE_SLOTS_MAX: Final = 256
"""Numbers of slots that are empty by now, which the heap may hold beyond as many as there are slots."""


class Deadlines:
    """Calls by the slot in which they are late. Of the event loop's thread alone."""

    def __init__(self, on_passed: Callable[[NativeCall], None]) -> None:
        self._on_passed = on_passed
        self._slots: dict[int, set[NativeCall]] = {}
        self._order: list[int] = []
        """A heap of the slots' numbers; a number whose slot is gone is skipped."""
        self._timer: asyncio.TimerHandle | None = None
        self._timed = 0
        """The slot that the timer is set for."""

    def watch(self, call: NativeCall, deadline_s: float) -> None:
        """Have `on_passed` called for it once `time.monotonic()` is past the deadline."""
        number = call.slot = int(deadline_s / SLOT_S) + 1
        waiting = self._slots.get(number)
        if waiting is not None:
            waiting.add(call)
            return
        self._slots[number] = {call}
        if len(self._order) > 2 * len(self._slots) + _STALE_SLOTS_MAX:
            self._order = list(self._slots)
            heapq.heapify(self._order)
        else:
            heapq.heappush(self._order, number)
        if self._timer is None or number < self._timed:
            self._set_timer()

    def forget(self, call: NativeCall) -> None:
        """The call has ended; one that is not watched is ignored."""
        waiting = self._slots.get(call.slot)
        if waiting is not None:
            waiting.discard(call)
            if not waiting:
                del self._slots[call.slot]

    def close(self) -> None:
        """Watch nothing any more."""
        self._slots.clear()
        self._order.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timed = self._order[0]
        wait_s = max(0.0, self._timed * SLOT_S - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._pass)

    def _pass(self) -> None:
        """End what is late. The timer may come early: it counts in milliseconds."""
        now = int(time.monotonic() / SLOT_S)
        self._timer = None
        while self._order and (self._order[0] <= now or self._order[0] not in self._slots):
            for call in self._slots.pop(heapq.heappop(self._order), ()):
                self._on_passed(call)
        if self._order and self._timer is None:
            self._set_timer()
