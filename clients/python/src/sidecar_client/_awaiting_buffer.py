"""The buffered events of the asyncio client, and the task that sends them; twin of `_sending`.

What is kept and dropped is in `_buffer`. The task lives while there is something to send, and is the client's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from sidecar_client import _awaiting
from sidecar_client._buffer import Buffer
from sidecar_client._calls import Call, Counters
from sidecar_client._stamps import jitter
from sidecar_client.errors import ClientClosed, SidecarError
from sidecar_client.events import Accepted
from sidecar_client.settings import BUFFER_RETRY, Settings
from sidecar_client.transport import AsyncTransport


class AsyncSending:
    """Events to a sidecar, or to the buffer while it takes none. Without a buffer every event is a plain call."""

    def __init__(self, transport: AsyncTransport, settings: Settings, counters: Counters) -> None:
        self._transport, self._settings, self._counters = transport, settings, counters
        self._buffer = Buffer(settings, counters)
        self._task: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    async def record(self, call: Call[Accepted]) -> Accepted:
        """Accepted by the sidecar, or kept; raises what a retry will not mend, and without a buffer every error."""
        if not self._settings.buffer_events_max:
            return await _awaiting.perform(self._transport, self._counters, call)
        if not self._buffer:
            try:
                return await _awaiting.perform(self._transport, self._counters, call)
            except SidecarError as error:
                if not error.retryable:
                    raise
        accepted = self._buffer.add(call)
        self._empty.clear()
        if self._task is None:
            self._task = asyncio.create_task(self._send(), name="sidecar-client-buffer")
        return accepted

    async def drain(self, timeout_s: float) -> tuple[int, float]:
        """Wait until the buffer is empty, at most so long; returns how many events are left, and how much time."""
        if not self._buffer:
            return 0, timeout_s
        deadline_s = time.monotonic() + timeout_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        return len(self._buffer), max(deadline_s - time.monotonic(), 0.0)

    async def close(self) -> None:
        """Give the buffer as long as one event has, then give it up."""
        if self._buffer:
            await self.drain(self._settings.event_timeout_s)
            self._buffer.give_up()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _send(self) -> None:
        failures = 0
        while (call := self._buffer.first()) is not None:
            try:
                await _awaiting.perform(self._transport, self._counters, call)
            except ClientClosed:
                return
            except SidecarError as error:
                if error.retryable:
                    failures += 1
                    await asyncio.sleep(error.retry_after_s or BUFFER_RETRY.pause_s(failures, jitter()))
                    continue
                self._buffer.remove(call, refused=True)
            else:
                self._buffer.remove(call, refused=False)
            failures = 0
        # No await between the last look and this: an event that comes now finds no task, and makes one.
        self._task = None
        self._empty.set()
