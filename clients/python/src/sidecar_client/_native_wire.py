"""One connection of the asyncio native transport: a protocol of the loop, the calls on it, and their deadlines.

All of it is of the loop's thread alone. A lone call is written at once; calls that begin while others are under way
share a write, once a turn of the loop. Deadlines have one timer for all calls. Who connects, and when: `_native_async`.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, cast

from decision_sidecar_native import FINISHED, REPLY

from sidecar_client._codec import OUTPUT_BYTES, Target

if TYPE_CHECKING:
    from decision_sidecar_native import ClientEvent, Outcome

Headers = tuple[tuple[str, str], ...]

STALE_MAX: Final = 1024
"""Deadlines of calls that have ended, kept beyond as many as there are calls."""


class Awaited:
    """A call under way."""

    __slots__ = ("call_id", "outcome", "replies", "woken")

    def __init__(self, call_id: int, loop: asyncio.AbstractEventLoop) -> None:
        self.call_id = call_id
        self.outcome: Outcome | None = None
        """How it ended; None for ever when its deadline passed."""
        self.replies: deque[bytes] = deque()
        """Of a stream: what came and was not taken yet."""
        self.woken: asyncio.Future[None] = loop.create_future()
        """Done when something came for it, or its deadline."""

    def wake(self) -> None:
        """Something came for it."""
        if not self.woken.done():
            self.woken.set_result(None)


class Wire(asyncio.Protocol):
    """Calls over one connection, of one event loop."""

    def __init__(self, target: Target, on_retired: Callable[[Wire], None], on_lost: Callable[[Wire], None]) -> None:
        """`on_retired` when it takes no more calls, `on_lost` when it is gone."""
        self._loop = asyncio.get_running_loop()
        self._codec = target.codec(time.monotonic())
        self._on_retired, self._on_lost = on_retired, on_lost
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, Awaited] = {}
        self._deadlines: list[tuple[float, int]] = []
        """A heap of deadlines with their calls' ids; those of calls that ended are skipped."""
        self._timer: asyncio.TimerHandle | None = None
        self._paused = self._writing = False
        self.usable = True
        """Whether it takes new calls."""
        self.begun = False
        """Whether the loop has told it of a connection."""
        self.answered = False
        """Whether the sidecar has ever said a word."""
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Done when the socket is closed."""

    # --- calls ----------------------------------------------------------------------------------------------------

    def unary(
        self, method: str, request: bytes, headers: Headers, timeout_s: float, deadline_s: float
    ) -> Awaited | None:
        """Begin a call; None = not here. `timeout_s`, what is left, is sent as it is: one that recurs costs less."""
        return self._begun(self._codec.call(method, request, headers, timeout_s), deadline_s)

    def stream(self, method: str, request: bytes, headers: Headers) -> Awaited | None:
        """Begin a call with many replies and no deadline; None = not here."""
        call_id = self._codec.open(method, headers)
        if call_id:
            self._codec.send(call_id, request)
            self._codec.half_close(call_id)
        return self._begun(call_id, math.inf)

    async def something(self, call: Awaited) -> None:
        """Wait until a reply, the outcome or the deadline comes; cancelled, the call is given up."""
        try:
            await call.woken
        except asyncio.CancelledError:
            self.drop(call)
            raise

    def taken(self, call: Awaited, message_bytes: int) -> None:
        """A reply of a stream was taken: the sidecar may send as much again."""
        if call.call_id in self._calls:
            self._codec.consumed(call.call_id, message_bytes)
            self._write_soon()

    def drop(self, call: Awaited) -> None:
        """Nobody waits for it any more."""
        if self._calls.pop(call.call_id, None) is not None:
            self._codec.cancel(call.call_id)
            self._write_soon()

    def lose(self, reason: str) -> None:
        """End it, and every call with UNAVAILABLE and this reason."""
        self._retire()
        self._take(self._codec.disconnected(reason))
        if self._transport is not None:
            self._transport.abort()

    def _begun(self, call_id: int, deadline_s: float) -> Awaited | None:
        if not call_id:
            self._retire()
            return None
        call = self._calls[call_id] = Awaited(call_id, self._loop)
        if deadline_s != math.inf:
            self._watch(call_id, deadline_s)
        if len(self._calls) == 1:
            self._write()
        else:
            self._write_soon()
        return call

    # --- deadlines ------------------------------------------------------------------------------------------------

    def _watch(self, call_id: int, deadline_s: float) -> None:
        if len(self._deadlines) > 2 * len(self._calls) + STALE_MAX:
            self._deadlines = [each for each in self._deadlines if each[1] in self._calls]
            heapq.heapify(self._deadlines)
        heapq.heappush(self._deadlines, (deadline_s, call_id))
        if self._timer is None or self._deadlines[0][1] == call_id:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_s = max(self._deadlines[0][0] - time.monotonic(), 0.0)
        self._timer = self._loop.call_later(wait_s, self._pass)

    def _pass(self) -> None:
        """End what is late. The timer may come early by a rounding."""
        self._timer = None
        now_s = time.monotonic()
        while self._deadlines and (self._deadlines[0][0] <= now_s or self._deadlines[0][1] not in self._calls):
            call = self._calls.get(heapq.heappop(self._deadlines)[1])
            if call is not None:
                self.drop(call)
                call.wake()
        if self._deadlines:
            self._set_timer()

    # --- the event loop's side ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. A TLS peer that speaks anything but HTTP/2 is none."""
        self._transport, self.begun = cast("asyncio.Transport", transport), True
        session = transport.get_extra_info("ssl_object")
        if session is not None and session.selected_alpn_protocol() != "h2":
            self.lose("the server does not speak HTTP/2 over TLS")
            return
        self._write()

    def data_received(self, data: bytes) -> None:
        """Tell everyone what it means."""
        self.answered = True
        self._take(self._codec.receive(data, time.monotonic()))
        self._write()
        if self._codec.closed:
            self.lose(self._codec.failure or "the sidecar closed the connection")
        elif self._codec.drained:
            self._retire()

    def pause_writing(self) -> None:
        """The sidecar does not read: what is to be written stays in the codec."""
        self._paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        """Every call under way ends."""
        self._transport = None
        self.lose(
            self._codec.failure or (f"the connection broke: {exc}" if exc else "the sidecar closed the connection")
        )
        if self._timer is not None:
            self._timer.cancel()
        self._on_lost(self)
        if not self.gone.done():
            self.gone.set_result(None)

    # --- below ----------------------------------------------------------------------------------------------------

    def _take(self, events: Iterable[ClientEvent]) -> None:
        for event in events:
            if event[0] == FINISHED:
                call = self._calls.pop(event[1], None)
                if call is not None:
                    call.outcome = event[2]
                    call.wake()
            elif event[0] == REPLY:
                call = self._calls.get(event[1])
                if call is not None:
                    call.replies.append(event[2])
                    call.wake()

    def _write_soon(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Give the socket what the codec has, as long as the sidecar reads; close when nothing is left to come."""
        self._writing = False
        while not self._paused and self._transport is not None:
            output = self._codec.take_output(OUTPUT_BYTES)
            if output:
                self._transport.write(output)
            if len(output) < OUTPUT_BYTES:
                break
        if not self.usable and not self._calls and self._transport is not None:
            self._transport.close()

    def _retire(self) -> None:
        if self.usable:
            self.usable = False
            self._on_retired(self)
            self._write_soon()
