"""A stream with one reply for each request, answered within the turn that brought the request.

No task waits for requests and none passes replies on: the turn puts in the messages of one read, and their replies go
to the codec together. Messages wait only behind one whose answer has to wait, which has a task for so long; behind
replies that the peer does not take; and behind what one stream may have of a turn. What waits is not `consumed`, so
that the peer's window closes: a stream holds one window of requests and little more than the codec's high mark of
replies.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, cast

from sidecar.rpc.methods import Code, Each
from sidecar.rpc.refusals import raise_if_late

if TYPE_CHECKING:
    from sidecar.transport.native.connection import Connection, NativeCall

REPLIES_PER_TURN: Final = 64
"""Messages that one stream sends before others get their turn: a stream whose requests are all there never waits."""
REPLY_BYTES: Final = 64 * 1024
"""Replies are given to the codec when they are so much together, the last one whole: it says when to stop."""


class Turn(Protocol):
    """What a stream wants of those who run it."""

    tasks: set[asyncio.Task[None]]
    """Answers that wait are added here while they do."""
    taking: list[OneByOne]
    """Streams that took messages: each is asked to `credit` them before its connection is written."""

    def wake(self, connection: Connection) -> None:
        """Write what the connection has."""
        ...

    def failed(self, call: NativeCall, error: BaseException) -> None:
        """Answer an error."""
        ...

    def ended(self, call: NativeCall) -> None:
        """The call is no more."""
        ...


class OneByOne:
    """The requests and replies of one such stream. Of the event loop's thread alone."""

    __slots__ = (
        "_answer",
        "_call",
        "_ended",
        "_halted",
        "_send_all",
        "_stalled",
        "_streams",
        "_taken",
        "_taken_bytes",
        "_turn",
        "_waiting",
    )

    def __init__(self, call: NativeCall, each: Each, turn: Turn) -> None:
        self._call, self._answer, self._turn = call, each.answer, turn
        self._send_all = call.connection.codec.send_all
        self._waiting: deque[bytes] = deque()
        """Messages that came while it was halted."""
        self._halted = False
        """Whether messages have to wait. Each reason has its own end: an answer, room, the next turn, or none."""
        self._stalled = False
        """Whether it is for room."""
        self._ended = False
        """Whether the peer sends no more."""
        self._taken = self._taken_bytes = 0
        """Messages of this turn that were not credited yet."""
        self._streams = each.streams
        self._streams.add(self)

    # --- what the turn brings -------------------------------------------------------------------------------------

    def put(self, messages: Sequence[bytes]) -> None:
        """Messages came."""
        self._waiting.extend(messages)
        if not self._halted:
            self._drain()

    def end(self) -> None:
        """No more messages will come."""
        self._ended = True
        if not self._halted:
            self._drain()

    def writable(self) -> None:
        """The peer has taken enough of the replies."""
        if self._stalled:
            self._stalled = False
            self._call.connection.stalled -= 1
            self.go_on()

    def go_on(self) -> None:
        """What the stream was halted for is over."""
        if self._call.gone:
            return
        self._halted = False
        # Why here already: a share of a turn is counted from one credit to the next.
        self.credit()
        self._drain()

    def credit(self) -> None:
        """Let the peer send as much again as was taken."""
        if self._taken:
            self._call.connection.codec.consumed(self._call.call_id, self._taken_bytes, self._taken)
            self._taken = self._taken_bytes = 0

    def leave(self) -> None:
        """Nobody waits for replies any more."""
        self._halted = True
        self._waiting.clear()
        self._streams.discard(self)
        if self._stalled:
            self._stalled = False
            self._call.connection.stalled -= 1
        # Why before: an answer that is interrupted removes its own task.
        self._call.task = None
        # Why: the call and this hold each other, and a cycle is freed by the collector alone.
        self._call.requests = self._call.answers = None
        self._turn.ended(self._call)

    def fail(self, error: BaseException) -> None:
        """See `Stream`."""
        self._turn.failed(self._call, error)
        if not self._call.gone:
            self._call.end()

    # --- what waits -----------------------------------------------------------------------------------------------

    def _stall(self) -> None:
        self._halted = self._stalled = True
        self._call.connection.stalled += 1

    def _drain(self) -> None:
        while self._waiting and not self._halted:
            self._answer_some()
        if self._ended and not self._halted:
            self._call.connection.codec.finish(self._call.call_id, Code.OK)
            self.leave()

    def _answer_some(self) -> None:
        """Answer what waits, as far as this turn's share goes. Each line of the loop costs every message."""
        call, answer, waiting = self._call, self._answer, self._waiting
        replies: list[bytes] = []
        taken, taken_bytes, reply_bytes = self._taken, self._taken_bytes, 0
        if not taken:
            self._turn.taking.append(self)
        later: Awaitable[bytes] | None = None
        failure: Exception | None = None
        try:
            raise_if_late(call)
            while waiting and taken < REPLIES_PER_TURN and reply_bytes < REPLY_BYTES:
                message = waiting.popleft()
                taken += 1
                taken_bytes += len(message)
                reply = answer(message, call)
                if not isinstance(reply, bytes):
                    later = reply
                    break
                replies.append(reply)
                reply_bytes += len(reply)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is answered, and logged if it is ours
            failure = error
        self._taken, self._taken_bytes = taken, taken_bytes
        has_room = not replies or self._send_all(call.call_id, replies)
        if failure is not None:
            self.fail(failure)
            # Why: its trace holds this frame, which must not hold it in turn.
            failure = None
        elif later is not None:
            self._wait(later)
        elif not has_room:
            self._stall()
        elif taken == REPLIES_PER_TURN:
            self._halted = True
            call.connection.resting.append(self)

    def _wait(self, answer: Awaitable[bytes]) -> None:
        """Answer later; the messages behind it wait."""
        self._halted = True
        call = self._call
        call.started = False
        call.task = asyncio.get_running_loop().create_task(self._answered(answer))
        self._turn.tasks.add(call.task)

    async def _answered(self, answer: Awaitable[bytes]) -> None:
        """The task of an answer that waits."""
        call = self._call
        try:
            if call.gone:
                drop(answer)
                return
            call.started = True
            has_room = self._send_all(call.call_id, [await answer])
            call.task = None
            if has_room:
                self.go_on()
            else:
                self._stall()
            self._turn.wake(call.connection)
        except BaseException as error:  # noqa: BLE001 - see `Turns.failed`
            call.task = None
            self.fail(error)
        finally:
            self._turn.tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))


def drop(answer: Awaitable[bytes]) -> None:
    """Leave an awaitable that was never begun, so that Python does not warn of it."""
    close = getattr(answer, "close", None)
    if close is not None:
        close()
