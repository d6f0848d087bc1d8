"""The asyncio transport over the native codec: one connection on the running loop, made by the call that needs it.

What a connection does is in `_native_wire`; here is who makes it and when. Promises: `transport`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from sidecar_client._codec import CONNECT_S_MAX, OK, Backoff, Target, failure_of, late, unavailable
from sidecar_client._native_wire import Wire
from sidecar_client.errors import ClientClosed
from sidecar_client.settings import Settings


class AsyncNativeTransport:
    """Calls on one event loop over one connection. It does not survive a fork, as its loop does not either."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._target = Target(settings)
        self._backoff = Backoff()
        self._closed = False
        self._wire: Wire | None = None
        self._wires: set[Wire] = set()
        """Every one that is not gone: the one in use, and those that end their last calls."""
        self._opening: asyncio.Task[Wire] | None = None

    async def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """As AsyncTransport.unary."""
        deadline_s, left_s = time.monotonic() + timeout_s, timeout_s
        headers = self._settings.metadata()
        refused = False
        while True:
            wire = self._wire
            if wire is None:
                wire = await self._connected(deadline_s)
                left_s = max(deadline_s - time.monotonic(), 0.0)
            call = wire.unary(method, request, headers, left_s, deadline_s)
            if call is None:
                continue
            await wire.something(call)
            outcome = call.outcome
            if outcome is None:
                raise late(timeout_s)
            if outcome.code == OK and (reply := outcome.message) is not None:
                return reply
            if self._closed:
                raise ClientClosed
            # What the sidecar has certainly not begun is no try yet: it was on its way when the sidecar said goodbye.
            if not outcome.unprocessed or refused:
                raise failure_of(outcome)
            refused, left_s = True, max(deadline_s - time.monotonic(), 0.0)

    async def stream(self, method: str, request: bytes) -> AsyncGenerator[bytes, None]:
        """As AsyncTransport.stream."""
        headers = self._settings.metadata()
        while True:
            wire = self._wire or await self._connected(time.monotonic() + self._settings.status_timeout_s)
            call = wire.stream(method, request, headers)
            if call is not None:
                break
        try:
            while call.outcome is None or call.replies:
                if call.replies:
                    reply = call.replies.popleft()
                    yield reply
                    wire.taken(call, len(reply))
                else:
                    await wire.something(call)
        finally:
            wire.drop(call)
        if self._closed:
            raise ClientClosed
        if call.outcome.code != OK:
            raise failure_of(call.outcome)

    async def close(self) -> None:
        """As AsyncTransport.close."""
        self._closed = True
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait([opening])
        wires = list(self._wires)
        for wire in wires:
            wire.lose("the client was closed")
        await asyncio.gather(*(wire.gone for wire in wires))

    async def _connected(self, deadline_s: float) -> Wire:
        """The connection, made if need be. Raises WireFailure, ClientClosed."""
        if self._closed:
            raise ClientClosed
        if self._opening is None:
            self._backoff.check(time.monotonic())
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        opening = self._opening
        await asyncio.wait([opening], timeout=max(deadline_s - time.monotonic(), 0.0))
        if opening.cancelled():
            raise ClientClosed
        if not opening.done():
            raise unavailable(f"not yet connected to the sidecar at {self._target}")
        refused = opening.exception()
        if isinstance(refused, OSError):
            raise unavailable(_problem(self._target, refused))
        return opening.result()

    async def _open(self) -> Wire:
        target, loop = self._target, asyncio.get_running_loop()
        context = target.secured()
        name = None if context is None else target.server_name
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                if target.path:
                    made = await loop.create_unix_connection(self._made, target.path, ssl=context, server_hostname=name)
                else:
                    host, port = target.host, target.port
                    made = await loop.create_connection(self._made, host, port, ssl=context, server_hostname=name)
        except BaseException:
            # A protocol that never heard of its connection, as when a TLS handshake fails, hears of no end either.
            self._wires = {wire for wire in self._wires if wire.begun}
            raise
        return made[1]

    def _made(self) -> Wire:
        wire = Wire(self._target, self._retired, self._lost)
        self._wires.add(wire)
        return wire

    def _opened(self, opening: asyncio.Task[Wire]) -> None:
        """The connection is there, or why not."""
        if self._opening is opening:
            self._opening = None
        if opening.cancelled():
            return
        refused = opening.exception()
        if isinstance(refused, OSError):
            self._backoff.failed(time.monotonic(), _problem(self._target, refused))
        elif refused is None and opening.result().usable:
            self._wire = opening.result()

    def _retired(self, wire: Wire) -> None:
        """It takes no more calls."""
        if self._wire is wire:
            self._wire = None
        if wire.answered:
            self._backoff.answered()
        elif not self._closed:
            self._backoff.failed(time.monotonic(), f"the sidecar at {self._target} closed the connection")

    def _lost(self, wire: Wire) -> None:
        self._wires.discard(wire)


def _problem(target: Target, refused: OSError) -> str:
    return f"no sidecar at {target}: {refused.strerror or str(refused) or 'no answer in time'}"
