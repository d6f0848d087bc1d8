"""A sidecar for unit tests of code that uses this client: fixed decisions, recorded events, no process.

The clients are the real ones over a transport in memory, so that what a test passes is checked and encoded as
in production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sidecar_client import _encoding, _fake_replies
from sidecar_client._events import EventMessage
from sidecar_client.aio import AsyncClient
from sidecar_client.client import Client
from sidecar_client.decisions import Decision
from sidecar_client.errors import ClientClosed
from sidecar_client.events import Money
from sidecar_client.pb import decision_pb2, tracking_pb2
from sidecar_client.settings import Settings
from sidecar_client.transport import WireFailure
from sidecar_client.variables import Value

REVISION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event that the code under test sent; `name` is the event key, page, screen or group id."""

    kind: str
    """`track`, `identify`, `page`, `screen`, `group` or `alias`."""
    name: str
    event_id: str
    user_id: str
    anonymous_id: str
    timestamp: datetime
    previous_id: str = ""
    category: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    tags: Mapping[str, Value] = field(default_factory=dict)
    properties: Mapping[str, Value] = field(default_factory=dict)
    traits: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    integrations: Mapping[str, Value] = field(default_factory=dict)
    revenue: Money | None = None


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision that the code under test asked for, one for each flag answered."""

    user_id: str
    flag_key: str
    attributes: Mapping[str, Value]


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
        return Client(_Transport(self), Settings(strict=strict))

    def async_client(self, *, strict: bool = False) -> AsyncClient:
        """A client of this fake for asyncio."""
        return AsyncClient(_AsyncTransport(self), Settings(strict=strict))

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
                return _fake_replies.status(name, REVISION)
            return self._record(name, request)

    def _decide(self, request: decision_pb2.DecideRequest) -> bytes:
        keys = request.flag_keys or self._by_flag
        attributes = {key: _encoding.value_of(value) for key, value in request.attributes.items()}
        self._decided += [RecordedDecision(request.user_id, key, attributes) for key in keys]
        return _fake_replies.decided(
            [self._by_flag.get(key, key) for key in keys], request.decision_id, REVISION
        )

    def _record(self, name: str, encoded: bytes) -> bytes:
        request = _fake_replies.EVENT_REQUESTS[name].FromString(encoded)
        event = _recorded(name.lower(), request)
        self._events.setdefault(event.event_id, event)
        return tracking_pb2.TrackResponse(event_id=event.event_id).SerializeToString()


def _recorded(kind: str, request: EventMessage) -> RecordedEvent:
    """The event of a request: its fields by name, since the six messages name alike what is alike."""

    def text(*names: str) -> str:
        return next((str(getattr(request, name)) for name in names if hasattr(request, name)), "")

    def values(name: str) -> dict[str, Value]:
        return {key: _encoding.value_of(value) for key, value in getattr(request, name, {}).items()}

    money = request.revenue if isinstance(request, tracking_pb2.TrackRequest) else None
    return RecordedEvent(
        kind=kind,
        name=text("event_key", "name", "group_id"),
        event_id=request.event_id,
        user_id=request.user_id,
        anonymous_id=request.anonymous_id,
        timestamp=request.timestamp.ToDatetime(tzinfo=UTC),
        previous_id=text("previous_id"),
        category=text("category"),
        attributes=values("attributes"),
        tags=values("event_tags"),
        properties=values("properties"),
        traits=values("traits"),
        context=values("context"),
        integrations=values("integrations"),
        revenue=Money(Decimal(money.amount), money.currency)
        if money is not None and money.currency
        else None,
    )


class _Transport:
    """Transport in memory."""

    def __init__(self, fake: FakeSidecar) -> None:
        self._fake = fake
        self._closed = threading.Event()

    def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:  # noqa: ARG002 - at once
        if self._closed.is_set():
            raise ClientClosed
        return self._fake.answer(method, request)

    def stream(self, method: str, request: bytes) -> Generator[bytes, None, None]:
        yield self._fake.answer(method, request)
        self._closed.wait()
        raise ClientClosed

    def wait(self, pause_s: float) -> bool:
        return self._closed.wait(pause_s)

    def close(self) -> None:
        self._closed.set()


class _AsyncTransport:
    """AsyncTransport in memory."""

    def __init__(self, fake: FakeSidecar) -> None:
        self._fake = fake
        self._closed = asyncio.Event()

    async def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:  # noqa: ARG002 - at once
        if self._closed.is_set():
            raise ClientClosed
        return self._fake.answer(method, request)

    async def stream(self, method: str, request: bytes) -> AsyncGenerator[bytes, None]:
        yield self._fake.answer(method, request)
        await self._closed.wait()
        raise ClientClosed

    async def close(self) -> None:
        self._closed.set()
