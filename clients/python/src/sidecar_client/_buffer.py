"""Events that wait in memory for a sidecar: a bounded queue. No clock, no socket, no thread."""

from __future__ import annotations

import logging
from collections import deque
from threading import Lock

from sidecar_client._calls import Call, Counters
from sidecar_client.events import Accepted
from sidecar_client.settings import Settings

log = logging.getLogger("sidecar_client")


class Buffer:
    """Events in the order they were made, oldest first. Safe for threads.

    Past either bound the oldest is dropped and counted: what a user did last matters most. One that was on its way at
    that moment may arrive nevertheless.
    """

    def __init__(self, settings: Settings, counters: Counters) -> None:
        self._events_max, self._bytes_max = settings.buffer_events_max, settings.buffer_bytes_max
        self._counters = counters
        self._calls: deque[Call[Accepted]] = deque()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, call: Call[Accepted]) -> Accepted:
        """Keep an event; what its caller is told."""
        dropped = 0
        with self._lock:
            self._calls.append(call)
            self._bytes += len(call.request)
            while self._calls and (len(self._calls) > self._events_max or self._bytes > self._bytes_max):
                self._bytes -= len(self._calls.popleft().request)
                dropped += 1
        self._counters.add(buffered=1 - dropped, dropped=dropped)
        if dropped:
            log.warning("events_dropped count=%d why=buffer_full kept=%d", dropped, len(self._calls))
        return Accepted(event_id=call.event_id, buffered=True)

    def first(self) -> Call[Accepted] | None:
        """The oldest event, which stays until it is removed."""
        with self._lock:
            return self._calls[0] if self._calls else None

    def remove(self, call: Call[Accepted], *, refused: bool) -> None:
        """An event was accepted, or refused for good; no error when it was dropped meanwhile."""
        with self._lock:
            if not self._calls or self._calls[0] is not call:
                return
            self._bytes -= len(self._calls.popleft().request)
        self._counters.add(buffered=-1, dropped=1 if refused else 0)
        if refused:
            log.warning("events_dropped count=1 why=refused event_id=%s", call.event_id)

    def give_up(self) -> None:
        """The client closes: what is left is dropped and counted."""
        with self._lock:
            left = len(self._calls)
            self._calls.clear()
            self._bytes = 0
        self._counters.add(buffered=-left, dropped=left)
        if left:
            log.warning("events_dropped count=%d why=client_closed", left)
