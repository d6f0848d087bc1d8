"""Sends events to a running sidecar by `ImportStream`, and reads its acknowledgements back into plain values.

Knows messages and the wire, no file and no form of an event but `Draft`.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import grpc
from google.rpc import error_details_pb2, status_pb2

from sidecar.client.channel import Target, connect, metadata
from sidecar.errors import SidecarError
from sidecar.pb import event_pb2, tracking_pb2
from sidecar.rpc import wire
from sidecar.rpc.wire_values import to_wire
from sidecar.values import Value

_METHOD: Final = "/sidecar.v1.TrackingService/ImportStream"
_EVENTS: Final = wire.tag(tracking_pb2.ImportStreamRequest.EVENTS_FIELD_NUMBER)
_KINDS: Final = {
    one.name: (wire.tag(one.number), getattr(tracking_pb2, f"{one.name.capitalize()}Request"))
    for one in tracking_pb2.ImportEvent.DESCRIPTOR.fields
}
_DETAILS: Final = "grpc-status-details-bin"

_Stream: TypeAlias = "grpc.StreamStreamMultiCallable[bytes, bytes]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One event as it is to be sent: `texts` and `maps` by the names of the contract's fields.

    `kind` is `track`, `identify`, `page`, `screen`, `group` or `alias`; `time` seconds and nanoseconds since 1970,
    None for the time of receipt; `revenue` an amount and its currency.
    """

    kind: str
    texts: Mapping[str, str]
    maps: Mapping[str, Mapping[str, Value]]
    time: tuple[int, int] | None = None
    revenue: tuple[str, str] | None = None

    def encode(self) -> bytes:
        """The event as one of a message's. Raises `ValueError` for a text that is no UTF-8."""
        tag, form = _KINDS[self.kind]
        request = form(**self.texts)
        for name, values in self.maps.items():
            entries = getattr(request, name)
            for key, value in values.items():
                entries[key].CopyFrom(to_wire(value))
        if self.time is not None:
            request.timestamp.seconds, request.timestamp.nanos = self.time
        if self.revenue is not None:
            amount, currency = self.revenue
            request.revenue.CopyFrom(event_pb2.Money(amount=amount, currency=currency))
        return wire.field(_EVENTS, wire.field(tag, request.SerializeToString()))


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message, or a stream, was refused.

    `violations` are (path, description), `about` what else is known of it; `wait_s` is 0 unless waiting helps.
    """

    reason: str
    message: str
    violations: Sequence[tuple[str, str]] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of a stream; `outcomes` are (destination, state, reason) and how many events had it."""

    accepted: int
    repeated: int
    outcomes: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the stream. Without `refused` the messages up to `accepted_through` are on disk."""

    accepted_through: int
    refused: Refused | None = None
    summary: Summary | None = None


class ImportStopped(SidecarError):
    """The stream ended before its summary; what was not acknowledged may or may not be accepted."""

    def __init__(self, address: str, refused: Refused) -> None:
        self.refused = refused
        self.retryable = refused.reason in _RETRYABLE
        super().__init__(f"import at {address} stopped: {refused.reason}: {refused.message}")


_RETRYABLE: Final = ("OUTBOX_FULL", "OUTBOX_UNWRITABLE", "STOPPING", "UNAVAILABLE")


class ImportCall:
    """One stream. Blocking; use as a context manager, which cuts what was not ended by `end`."""

    def __init__(self, target: Target, *, include_optimizely: bool, datafile: str, timeout_s: float) -> None:
        """`timeout_s` is how long the sidecar may take to be reached."""
        options = tracking_pb2.ImportStreamRequest(include_optimizely=include_optimizely, datafile=datafile)
        self._target, self._options = target, options.SerializeToString()
        self._timeout_s = timeout_s
        # Bounded by its user, who waits for answers before sending more.
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Reach the sidecar. Raises `ImportStopped`, `ConfigInvalid`."""
        self._channel = connect(self._target)
        try:
            grpc.channel_ready_future(self._channel).result(self._timeout_s)
        except grpc.FutureTimeoutError:
            self._channel.close()
            refused = Refused("UNAVAILABLE", f"nobody answers within {self._timeout_s:g} s")
            raise ImportStopped(self._target.address, refused) from None
        stream: _Stream = self._channel.stream_stream(_METHOD)
        self._answers: Any = stream(iter(self._outgoing.get, None), metadata=metadata(self._target))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outgoing.put(None)
        self._answers.cancel()
        self._channel.close()

    def send(self, events: Sequence[bytes]) -> None:
        """Send one message of encoded events, at most 500 and 17 MiB."""
        self._outgoing.put(b"".join((*events, self._options)))

    def end(self) -> None:
        """Say that there are no more messages; the summary follows."""
        self._outgoing.put(None)

    def answers(self) -> Iterator[Answer]:
        """Every answer, in order, as it comes. Raises `ImportStopped`."""
        try:
            for reply in self._answers:
                yield _answer(tracking_pb2.ImportStreamResponse.FromString(reply))
        except grpc.RpcError as failed:
            raise ImportStopped(self._target.address, _refused_by(failed)) from failed


def _answer(response: tracking_pb2.ImportStreamResponse) -> Answer:
    refused = _refused(response.error) if response.HasField("error") else None
    if not response.HasField("summary"):
        return Answer(response.accepted_through, refused)
    told = response.summary
    outcomes: dict[tuple[str, str, str], int] = {}
    for one in told.outcomes:
        state = event_pb2.OutcomeState.Name(one.outcome.state).removeprefix("OUTCOME_STATE_")
        outcomes[one.outcome.destination, state, one.outcome.reason] = one.events
    return Answer(response.accepted_through, refused, Summary(told.accepted_events, told.repeated_events, outcomes))


def _refused_by(failed: grpc.RpcError) -> Refused:
    trailers: Any = failed.trailing_metadata() or ()
    details = dict(trailers).get(_DETAILS)
    if isinstance(details, bytes):
        return _refused(status_pb2.Status.FromString(details))
    return Refused(failed.code().name, failed.details() or "")


def _refused(status: status_pb2.Status) -> Refused:
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        for known in (info, bad, retry):
            detail.Unpack(known)
    return Refused(
        info.reason,
        status.message,
        [(one.field, one.description) for one in bad.field_violations],
        dict(info.metadata),
        retry.retry_delay.ToTimedelta().total_seconds(),
    )
