"""A sidecar for unit tests of code that uses this client: fixed decisions, recorded events, no process.

The clients are the real ones over a transport in memory, so that what a test passes is checked and encoded as
in production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Unpack

from google.protobuf.message import Message

from sidecar_client import _fake_replies
from sidecar_client._events import EventMessage
from sidecar_client._fake_transport import AsyncFakeTransport, FakeTransport
from sidecar_client._recorded import RecordedDecision, RecordedEvent, asked, recorded
from sidecar_client.aio import AsyncClient
from sidecar_client.client import Client
from sidecar_client.decisions import Decision
from sidecar_client.pb import decision_pb2, tracking_pb2
from sidecar_client.settings import ConnectOptions, Settings
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

    def fail(self, code: str = "UNAVAILABLE", message: str = "the fake was told to fail", *, reason: str = "") -> None:
        """From now on fail every call with a gRPC code and, if given, the sidecar's reason, until `recover`."""
        with self._lock:
            self._failure = WireFailure(code, message, _fake_replies.refusal(code, message, reason))

    def recover(self) -> None:
        """Answer again."""
        with self._lock:
            self._failure = None

    def client(self, **options: Unpack[ConnectOptions]) -> Client:
        """A blocking client of this fake, with the options of `connect`; those of the connection have no effect."""
        return Client(FakeTransport(self), Settings(**options))

    def async_client(self, **options: Unpack[ConnectOptions]) -> AsyncClient:
        """As `client`, for asyncio."""
        return AsyncClient(AsyncFakeTransport(self), Settings(**options))

    def answer(self, method: str, request: bytes) -> bytes:
        """The reply to one call, as the transports in memory need it. Raises WireFailure."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            name = method.rpartition("/")[2]
            answers: Mapping[str, Callable[[bytes], Message]] = {
                "Decide": self._decide,
                "DecideMany": self._decide_many,
                "Explain": self._explain,
                "Import": self._import,
                "Flush": lambda _: tracking_pb2.FlushResponse(),
                "GetStatus": lambda _: _fake_replies.status(),
                "Watch": lambda _: _fake_replies.change(),
            }
            answer = answers.get(name)
            reply = self._record(name, request) if answer is None else answer(request)
            return reply.SerializeToString()

    def _decide(self, encoded: bytes) -> decision_pb2.DecideResponse:
        request = decision_pb2.DecideRequest.FromString(encoded)
        keys = request.flag_keys or self._by_flag
        self._decided += asked(request, keys)
        return _fake_replies.decided([self._by_flag.get(key, key) for key in keys], request.decision_id)

    def _decide_many(self, encoded: bytes) -> decision_pb2.DecideManyResponse:
        request = decision_pb2.DecideManyRequest.FromString(encoded)
        response = decision_pb2.DecideManyResponse()
        for user in request.users:
            # The fields of a user have the numbers of a DecideRequest.
            one = decision_pb2.DecideRequest.FromString(user.SerializeToString())
            one.flag_keys.extend(request.flag_keys)
            response.results.add(decided=self._decide(one.SerializeToString()))
        return response

    def _explain(self, encoded: bytes) -> decision_pb2.ExplainResponse:
        request = decision_pb2.ExplainRequest.FromString(encoded)
        answer = self._by_flag.get(request.flag_key, request.flag_key)
        (decision,) = _fake_replies.decided([answer], "").decisions
        return decision_pb2.ExplainResponse(
            decision=decision, revision=_fake_replies.REVISION, bucketing_id=request.user_id
        )

    def _record(self, name: str, encoded: bytes) -> tracking_pb2.TrackResponse:
        return self._keep(name.lower(), _fake_replies.EVENT_REQUESTS[name].FromString(encoded))

    def _import(self, encoded: bytes) -> tracking_pb2.ImportResponse:
        request = tracking_pb2.ImportRequest.FromString(encoded)
        before, response = len(self._events), tracking_pb2.ImportResponse()
        for each in request.events:
            kind = str(each.WhichOneof("event"))
            response.event_ids.append(self._keep(kind, getattr(each, kind)).event_id)
        response.repeated_events = len(request.events) - (len(self._events) - before)
        return response

    def _keep(self, kind: str, request: EventMessage) -> tracking_pb2.TrackResponse:
        event = recorded(kind, request)
        self._events.setdefault(event.event_id, event)
        return tracking_pb2.TrackResponse(event_id=event.event_id)
