"""A sidecar for unit tests of code that uses this client: fixed decisions, recorded events, no process.

The clients are the real ones over a transport in memory, so that what a test passes is checked and encoded as
in production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from sidecar_client import _fake_replies
from sidecar_client._fake_transport import AsyncFakeTransport, FakeTransport
from sidecar_client._recorded import RecordedDecision, RecordedEvent, asked, recorded
from sidecar_client.aio import AsyncClient
from sidecar_client.client import Client
from sidecar_client.decisions import Decision
from sidecar_client.pb import decision_pb2, tracking_pb2
from sidecar_client.settings import Settings
from sidecar_client.transport import WireFailure

__all__ = ["FakeSidecar", "RecordedDecision", "RecordedEvent"]


class FakeSidecar:
    """Answers every user alike, with the decisions it was made with; any other flag is FLAG_NOT_FOUND.

    `client()` and `async_client()` make clients of it. Safe for threads.
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._by_flag = {decision.flag_key: decision for decision in decisions}
        self._events: dict[str, RecordedEvent] = {}
        self._decided: list[RecordedDecision] = []
        self._failure: WireFailure | None = None
        self._lock = threading.Lock()

    @property
    def events(self) -> tuple[RecordedEvent, ...]:
        """The events accepted, in order; a repeated `event_id` is one event."""
        with self._lock:
            return tuple(self._events.values())

    @property
    def decided(self) -> tuple[RecordedDecision, ...]:
        """The decisions answered, in order."""
        with self._lock:
            return tuple(self._decided)

    def decide_as(self, decision: Decision) -> None:
        """From now on answer this decision for its flag."""
        with self._lock:
            self._by_flag[decision.flag_key] = decision

    def fail(self, code: str = "UNAVAILABLE", message: str = "the fake was told to fail") -> None:
        """From now on fail every call with a gRPC code, until `recover`."""
        with self._lock:
            self._failure = WireFailure(code, message)

    def recover(self) -> None:
        """Answer again."""
        with self._lock:
            self._failure = None

    def client(self, *, strict: bool = False) -> Client:
        """A blocking client of this fake."""
        return Client(FakeTransport(self), Settings(strict=strict))

    def async_client(self, *, strict: bool = False) -> AsyncClient:
        """A client of this fake for asyncio."""
        return AsyncClient(AsyncFakeTransport(self), Settings(strict=strict))

    def answer(self, method: str, request: bytes) -> bytes:
        """The reply to one call, as the transports in memory need it. Raises WireFailure."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            name = method.rpartition("/")[2]
            if name == "Decide":
                return self._decide(decision_pb2.DecideRequest.FromString(request))
            if name == "Flush":
                return tracking_pb2.FlushResponse().SerializeToString()
            if name in {"GetStatus", "Watch"}:
                return _fake_replies.status(name)
            return self._record(name, request)

    def _decide(self, request: decision_pb2.DecideRequest) -> bytes:
        keys = request.flag_keys or self._by_flag
        self._decided += asked(request, keys)
        return _fake_replies.decided([self._by_flag.get(key, key) for key in keys], request.decision_id)

    def _record(self, name: str, encoded: bytes) -> bytes:
        request = _fake_replies.EVENT_REQUESTS[name].FromString(encoded)
        event = recorded(name.lower(), request)
        self._events.setdefault(event.event_id, event)
        return tracking_pb2.TrackResponse(event_id=event.event_id).SerializeToString()
