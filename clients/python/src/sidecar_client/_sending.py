"""The buffered events of the blocking client, and the thread that sends them; `_awaiting_buffer` is its twin.

What is kept and dropped is in `_buffer`. The thread lives while there is something to send.
"""

from __future__ import annotations

import os
import threading
import time

from sidecar_client import _blocking
from sidecar_client._buffer import Buffer
from sidecar_client._calls import Call, Counters
from sidecar_client._stamps import jitter
from sidecar_client.errors import ClientClosed, SidecarError
from sidecar_client.events import Accepted
from sidecar_client.settings import BUFFER_RETRY, Settings
from sidecar_client.transport import Transport


class Sending:
    """Events to a sidecar, or to the buffer while it takes none. Without a buffer every event is a plain call."""

    def __init__(self, transport: Transport, settings: Settings, counters: Counters) -> None:
        self._transport, self._settings, self._counters = transport, settings, counters
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._buffer = Buffer(self._settings, self._counters)
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def record(self, call: Call[Accepted]) -> Accepted:
        """Accepted by the sidecar, or kept; raises what a retry will not mend, and without a buffer every error."""
        if not self._settings.buffer_events_max:
            return _blocking.perform(self._transport, self._counters, call)
        if self._pid != os.getpid():
            # A forked child: what the parent keeps is the parent's to send, and its thread is not here.
            self._counters.add(buffered=-len(self._buffer))
            self._begin()
        if not self._buffer:
            try:
                return _blocking.perform(self._transport, self._counters, call)
            except SidecarError as error:
                if not error.retryable:
                    raise
        accepted = self._buffer.add(call)
        self._wake()
        return accepted

    def drain(self, timeout_s: float) -> tuple[int, float]:
        """Wait until the buffer is empty, at most so long; returns how many events are left, and how much time."""
        if not self._buffer:
            return 0, timeout_s
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            self._changed.wait_for(lambda: not self._buffer, timeout_s)
        return len(self._buffer), max(deadline_s - time.monotonic(), 0.0)

    def close(self) -> None:
        """Give the buffer as long as one event has, then give it up."""
        if self._buffer:
            self.drain(self._settings.event_timeout_s)
            self._buffer.give_up()

    def _wake(self) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="sidecar-client-buffer", daemon=True)
                self._thread.start()

    def _send(self) -> None:
        failures = 0
        while (call := self._next()) is not None:
            try:
                _blocking.perform(self._transport, self._counters, call)
            except ClientClosed:
                return
            except SidecarError as error:
                if error.retryable:
                    failures += 1
                    pause_s = error.retry_after_s or BUFFER_RETRY.pause_s(failures, jitter())
                    if self._transport.wait(pause_s):
                        return
                    continue
                self._buffer.remove(call, refused=True)
            else:
                self._buffer.remove(call, refused=False)
            failures = 0
            with self._changed:
                self._changed.notify_all()

    def _next(self) -> Call[Accepted] | None:
        """The oldest event; None ends the thread, which is then no more, so that no event is left without one."""
        with self._changed:
            call = self._buffer.first()
            if call is None:
                self._thread = None
                self._changed.notify_all()
            return call
