"""One call as a value, and the walk over its tries: no socket, no clock, no sleep. Both clients drive it.

A call is built complete, ids and time included, before its first try: a retry sends the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.message import DecodeError

from sidecar_client._faults import fault_of
from sidecar_client.errors import ClientClosed, Fault, SidecarError, SidecarFault, error_for
from sidecar_client.settings import Retry
from sidecar_client.transport import WireFailure

Answer = TypeVar("Answer")
log = logging.getLogger("sidecar_client")


class Call(NamedTuple, Generic[Answer]):
    """A unary call. `fallback`, when there is one, makes the answer that stands in for an error.

    Why a tuple: one is made for each call, and a frozen dataclass costs three times as much.
    """

    method: str
    request: bytes
    timeout_s: float
    retry: Retry
    decode: Callable[[bytes], Answer]
    event_id: str = ""
    fallback: Callable[[SidecarError], Answer] | None = None


@dataclass(slots=True)
class Counters:
    """What a client has been through, for the metrics of the service that holds it."""

    decisions_defaulted: int = 0
    """Calls for decisions that were answered with the caller's default."""
    retries: int = 0
    """Tries after the first, of any call."""
    events_dropped: int = 0
    """Events that the buffer gave up: past its bounds, refused when sent at last, or left when the client closed."""
    events_buffered: int = 0
    """Events in the buffer now; the only one that falls."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, *, defaulted: int = 0, retries: int = 0, dropped: int = 0, buffered: int = 0) -> None:
        """Count, from any thread."""
        with self._lock:
            self.decisions_defaulted += defaulted
            self.retries += retries
            self.events_dropped += dropped
            self.events_buffered += buffered


class Exchange(Generic[Answer]):
    """The tries of one call, in order: `timeout_s` → try → `answer`, or `pause_s` and again, or `give_up`."""

    __slots__ = ("_attempts", "_call", "_counters", "_deadline_s")

    def __init__(self, call: Call[Answer], counters: Counters, now_s: float) -> None:
        self._call = call
        self._counters = counters
        self._deadline_s = now_s + call.timeout_s
        self._attempts = 1

    def timeout_s(self, now_s: float) -> float:
        """How long the next try may take: what is left until the deadline."""
        return max(self._deadline_s - now_s, 0.0)

    def answer(self, reply: bytes) -> Answer:
        """The decoded reply. A reply that is no message is a fault like any other."""
        try:
            return self._call.decode(reply)
        except DecodeError as error:
            fault = Fault(code="INTERNAL", reason="MALFORMED_REPLY", message=str(error))
            return self.give_up(SidecarFault(fault, method=self._call.method, event_id=self._call.event_id))

    def pause_s(self, failure: WireFailure, now_s: float, jitter: float) -> float | None:
        """How long to wait before the next try, 0 ≤ jitter < 1; None when this was the last.

        Only UNAVAILABLE is tried again, and only when the pause ends before the deadline.
        """
        retry = self._call.retry
        if failure.code != "UNAVAILABLE" or self._attempts >= retry.attempts_max:
            return None
        pause_s = retry.pause_s(self._attempts, jitter)
        if now_s + pause_s >= self._deadline_s:
            return None
        self._attempts += 1
        self._counters.add(retries=1)
        return pause_s

    def failed(self, failure: WireFailure) -> Answer:
        """The last try failed: the fallback's answer, else the error, raised."""
        fault = fault_of(failure.code, failure.message, failure.details)
        return self.give_up(error_for(fault, method=self._call.method, event_id=self._call.event_id))

    def closed(self) -> Answer:
        """The client was closed: the fallback's answer, else ClientClosed, raised."""
        return self.give_up(ClientClosed(method=self._call.method, event_id=self._call.event_id))

    def give_up(self, error: SidecarError) -> Answer:
        """The fallback's answer, counted; without a fallback raises `error`."""
        if self._call.fallback is None:
            raise error
        self._counters.add(defaulted=1)
        log.debug("decision_defaulted method=%s reason=%s", self._call.method, error.reason)
        return self._call.fallback(error)
