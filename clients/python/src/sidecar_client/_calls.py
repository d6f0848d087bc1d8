"""One call as a value, and the walk over its tries: no socket, no clock, no sleep. Both clients drive it.

A call is built complete, ids and time included, before its first try: a retry sends the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import DecodeError

from sidecar_client._faults import fault_of
from sidecar_client.errors import ClientClosed, Fault, SidecarError, SidecarFault, error_for
from sidecar_client.settings import Retry
from sidecar_client.transport import WireFailure

Answer = TypeVar("Answer")
Failure: TypeAlias = WireFailure | ClientClosed | DecodeError
"""How a try fails: on the wire, with the client, or with a reply that is no message."""

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
    """The tries of one call after the first has failed: `pause_s` → `timeout_s` → try, again and again, or `failed`."""

    __slots__ = ("_attempts", "_call", "_counters", "_deadline_s")

    def __init__(self, call: Call[Answer], counters: Counters, now_s: float) -> None:
        self._call = call
        self._counters = counters
        self._deadline_s = now_s + call.timeout_s
        self._attempts = 1

    def timeout_s(self, now_s: float) -> float:
        """How long the next try may take: what is left until the deadline."""
        return max(self._deadline_s - now_s, 0.0)

    def pause_s(self, failure: Failure, now_s: float, jitter: float) -> float | None:
        """How long to wait before the next try, 0 ≤ jitter < 1; None when this was the last.

        Only UNAVAILABLE is tried again, and only when the pause ends before the deadline.
        """
        retry = self._call.retry
        if not isinstance(failure, WireFailure) or failure.code != "UNAVAILABLE":
            return None
        if self._attempts >= retry.attempts_max:
            return None
        pause_s = retry.pause_s(self._attempts, jitter)
        if now_s + pause_s >= self._deadline_s:
            return None
        self._attempts += 1
        self._counters.add(retries=1)
        return pause_s

    def failed(self, failure: Failure) -> Answer:
        """The last try failed, or the client was closed: the fallback's answer, counted, else the error, raised."""
        error = self._error(failure)
        if self._call.fallback is None:
            raise error
        self._counters.add(defaulted=1)
        log.debug("decision_defaulted method=%s reason=%s", self._call.method, error.reason)
        return self._call.fallback(error)

    def _error(self, failure: Failure) -> SidecarError:
        method, event_id = self._call.method, self._call.event_id
        if isinstance(failure, ClientClosed):
            return ClientClosed(method=method, event_id=event_id)
        if isinstance(failure, DecodeError):
            fault = Fault(code="INTERNAL", reason="MALFORMED_REPLY", message=str(failure))
            return SidecarFault(fault, method=method, event_id=event_id)
        fault = fault_of(failure.code, failure.message, failure.details)
        return error_for(fault, method=method, event_id=event_id)
