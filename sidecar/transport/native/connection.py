"""One peer and its calls: bytes from its socket to the codec, what the codec wants written, and how that ends.

Nothing is answered here: `turns` does that, once per turn of the event loop for all connections. Specification of the
codec's part: native/decision_sidecar_native.pyi.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import msgspec
from decision_sidecar_native import CANCELLED, Budget, Limits, Methods, ServerConnection

from sidecar.transport.native.requests import Answers, Takes
from sidecar.transport.native.sockets import peer_name

if TYPE_CHECKING:
    from decision_sidecar_native import ServerEvent

WRITE_BYTES: Final = 64 * 1024
"""What is taken of the codec at a time, and what the socket holds beyond what the kernel takes before reading stops.

The rest stays in the codec, where the budget of all connections counts it.
"""
LINGER_S: Final = 5.0
"""How long a peer may take to read the last bytes of a connection that is closed."""

_NOTHING: Final[list[ServerEvent]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the connections of one wire have in common, and whom they tell."""

    methods: Methods
    limits: Limits
    budget: Budget
    wake: Callable[[Connection], None]
    """There are events to answer, or bytes to write."""
    opened: Callable[[Connection], bool]
    """It is there; False = one too many."""
    lost: Callable[[Connection, str], None]
    """It is gone, and why, where that is no one's wish."""


class NativeCall(msgspec.Struct, eq=False):
    """A `Call` of one connection.

    Why a Struct: one is made for each call, and its constructor costs half of a class's.
    """

    connection: Connection
    call_id: int
    method: int
    """Its place in the table."""
    deadline_s: float | None
    """On the clock of `time.monotonic`."""
    gone: bool = False
    """Whether nothing may be sent any more: the caller gave up, the deadline passed, the connection is lost."""
    started: bool = False
    """Whether its task has taken its first step, so that cancelling meets the handler's code."""
    task: asyncio.Task[None] | None = None
    slot: int = 0
    """Where `Deadlines` keeps it."""
    room: asyncio.Future[None] | None = None
    """What a stream waits for while too much of it is queued."""
    requests: Takes | None = None
    """Of a call with many request messages."""
    answers: Answers | None = None
    """The same, where each of them has one reply."""

    def header(self, key: str) -> str | None:
        """See `Call`."""
        request = self.connection.codec.request(self.call_id)
        return None if request is None else request.header(key)

    def time_remaining_s(self) -> float | None:
        """See `Call`."""
        return None if self.deadline_s is None else self.deadline_s - time.monotonic()

    def cancelled(self) -> bool:
        """See `Call`."""
        return self.gone

    @property
    def peer(self) -> str:
        """See `Call`."""
        return self.connection.peer

    def end(self) -> None:
        """Nobody waits for the call any more. A task that has begun is interrupted, one that has not sees `gone`."""
        self.gone = True
        if self.task is not None and self.started:
            self.task.cancel()
        if self.answers is not None:
            self.answers.leave()

    async def until_writable(self) -> None:
        """Wait until the peer has taken enough of what is queued for this call."""
        self.room = asyncio.get_running_loop().create_future()
        self.connection.stalled += 1
        try:
            await self.room
        finally:
            self.room = None
            self.connection.stalled -= 1

    def writable(self) -> None:
        """The peer has taken enough."""
        if self.answers is not None:
            self.answers.writable()
        elif self.room is not None and not self.room.done():
            self.room.set_result(None)


class Connection(asyncio.Protocol):
    """A connection, and the calls on it that wait for something."""

    __slots__ = (
        "_closing_s",
        "_failure",
        "_paused",
        "_receive",
        "_shared",
        "_take_events",
        "_take_output",
        "_transport",
        "_wake",
        "calls",
        "codec",
        "ended",
        "events",
        "gone",
        "queued",
        "received_s",
        "resting",
        "stalled",
    )

    def __init__(self, shared: Shared) -> None:
        self._shared, self._wake = shared, shared.wake
        self.codec = ServerConnection(shared.methods, shared.limits, shared.budget, time.monotonic())
        self._receive, self._take_output = self.codec.receive, self.codec.take_output
        self._take_events = self.codec.take_events
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._closing_s = 0.0
        self._failure = ""
        self.calls: dict[int, NativeCall] = {}
        """Calls that wait for something, by id."""
        self.events = _NOTHING
        """What came since the last turn, in order."""
        self.gone: set[int] = set()
        """Calls among them that were given up in a later read of the same turn; the codec knows those of one read."""
        self.received_s = 0.0
        """When the first of it came."""
        self.queued = False
        """Whether the next turn will look at it."""
        self.ended = False
        """Whether the peer sends no more."""
        self.stalled = 0
        """Streams that wait until they may send again."""
        self.resting: list[Answers] = []
        """Streams that have had their share of a turn, and have more to answer in the next one."""

    # --- the event loop's side ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many already."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._shared.opened(self):
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=WRITE_BYTES)
        self._wake(self)

    def data_received(self, data: bytes) -> None:
        """Parse; what it means is for the turn to see."""
        now_s = time.monotonic()
        try:
            events = self._receive(data, now_s)
        except BaseException as panic:  # noqa: BLE001 - a panic of the codec is none of Exception; it ends one connection
            self.fail(panic)
            return
        if events:
            self._queue_events(events, now_s)
        if not self.queued:
            self._wake(self)

    def eof_received(self) -> bool:
        """The peer sends no more: what it asked so far is answered, if that needs no waiting, and the rest given up."""
        self.ended = True
        self._wake(self)
        # Why not over TLS: a socket of TLS cannot stay half open.
        return self._transport is not None and self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """The peer does not read: leave what is to be written in the codec, which is bounded, and ask for no more."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._wake(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a name of asyncio's protocol
        """Nobody waits for its calls any more."""
        self.events = _NOTHING
        for call in list(self.calls.values()):
            call.end()
        self._shared.lost(self, self._failure or self.codec.failure)
        # What it holds of the budget is given back now, whoever still holds a call of it.
        self.codec.disconnected("the connection is gone")
        self._transport = None

    # --- the wire's side ------------------------------------------------------------------------------------------

    def take_events(self) -> tuple[list[ServerEvent], set[int]]:
        """What came since it was asked last, and which of the calls in it are `gone` already."""
        events, gone = self.events, self.gone
        self.events = _NOTHING
        if gone:
            self.gone = set()
        return events, gone

    def consumed(self, call_id: int, message_bytes: int) -> None:
        """A message of a stream was taken: the peer may send as much again."""
        self.codec.consumed(call_id, message_bytes)
        if not self.queued:
            self._wake(self)

    def flush(self) -> None:
        """Write what the codec has, as long as the peer takes it; close when it is through."""
        transport = self._transport
        if self._paused or self._closing_s or transport is None:
            return
        while output := self._take_output(WRITE_BYTES):
            transport.write(output)
            # Less than was asked for is all there is. `pause_writing` was called within `write`, if at all.
            if len(output) < WRITE_BYTES or self._paused:
                break
        if self.codec.closed or (self.ended and not self._paused):
            self.close()
        elif self.stalled:
            # What was just taken may have made room for streams that wait, without a byte of the peer to say so.
            self._queue_events(self._take_events(), time.monotonic())

    def tick(self, now_s: float) -> None:
        """Let the codec's clock go on, and cut a peer that does not read its last bytes."""
        if self._closing_s:
            if now_s - self._closing_s > LINGER_S:
                self.abort()
            return
        self.codec.tick(now_s)
        if self._paused and self.codec.closed:
            self.abort()
        elif not self.queued:
            self._wake(self)

    def shut_down(self, *, final: bool) -> None:
        """Tell the peer to open no more calls here; `final` closes the connection after the last one."""
        self.codec.shut_down(final=final)
        self._wake(self)

    def fail(self, error: BaseException) -> None:
        """End this connection for a bug of ours or the codec's; the others go on."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        self._failure = f"failed inside the sidecar: {error!r}"
        self.abort()

    def close(self) -> None:
        """Close once what was written is gone."""
        if self._transport is not None and not self._closing_s:
            self._closing_s = time.monotonic()
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._closing_s = self._closing_s or time.monotonic()
        if self._transport is not None:
            self._transport.abort()

    @property
    def peer(self) -> str:
        """See `peer_name`."""
        return peer_name(self._transport.get_extra_info("peername") if self._transport is not None else None)

    def _queue_events(self, events: list[ServerEvent], now_s: float) -> None:
        if self.events:
            self.events += events
            self.gone.update(event[1] for event in events if event[0] == CANCELLED)
        elif events:
            self.events, self.received_s = events, now_s
            self._wake(self)
