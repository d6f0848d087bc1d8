"""A turn of the event loop: run the handlers of all calls that its reads brought, then write each connection once.

Reads only parse; the one `call_soon` after them answers. So the calls of many connections share a turn, a call waits
for no write of another, and a connection's replies, also those of tasks that finished together (a group commit
completes many), leave in one write. Handlers that answer at once cost no task; the others have one, which is kept here
until it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from decision_sidecar_native import CALL, CANCELLED, ENDED, MESSAGES, OPENED, WRITABLE

from sidecar.errors import Stopping
from sidecar.rpc.methods import (
    Bidirectional,
    Code,
    Each,
    Later,
    MethodTable,
    Refusal,
    ServerStream,
    Unary,
    UnaryHandler,
)
from sidecar.rpc.refusals import refusal, refusal_of
from sidecar.transport.native.connection import Connection, NativeCall
from sidecar.transport.native.deadlines import Deadlines
from sidecar.transport.native.one_by_one import REPLIES_PER_TURN, OneByOne, drop
from sidecar.transport.native.requests import Requests

if TYPE_CHECKING:
    from decision_sidecar_native import ServerEvent


class Turns:
    """Answers calls by the table. Of the event loop's thread alone."""

    def __init__(self, table: MethodTable, on_refused: Callable[[str, Refusal], None]) -> None:
        self._names = tuple(table)
        self._methods = tuple(table.values())
        self._unary: tuple[UnaryHandler | None, ...] = tuple(
            method.handler if isinstance(method, Unary) else None for method in self._methods
        )
        self._on_refused = on_refused
        self._queue: list[Connection] = []
        self._deadlines = Deadlines(self._passed)
        self.tasks: set[asyncio.Task[None]] = set()
        """The calls that wait for something. What they raise is answered; nothing leaves them."""
        self.taking: list[OneByOne] = []
        """See `one_by_one.Turn`."""

    def methods(self) -> list[tuple[str, bool]]:
        """Each method's full name and whether its request is a single message; events name a method by its place."""
        kinds = zip(self._names, self._methods, strict=True)
        return [(name, not isinstance(method, Bidirectional)) for name, method in kinds]

    def wake(self, connection: Connection) -> None:
        """Look at a connection in the next turn."""
        if connection.queued:
            return
        connection.queued = True
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._run)
        self._queue.append(connection)

    def cut(self, connection: Connection) -> None:
        """End the calls that still run, telling their callers that the process stops."""
        stopping = refusal_of(Stopping(), "")
        for call in list(connection.calls.values()):
            self._refuse(call, stopping)
            call.end()

    def close(self) -> None:
        """Watch no deadline any more."""
        self._deadlines.close()

    # --- a turn ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        queue, self._queue = self._queue, []
        for connection in queue:
            connection.queued = False
            try:
                if connection.resting:
                    self._go_on(connection)
                if connection.events:
                    self._answer(connection, *connection.take_events())
                if self.taking:
                    self._credit(connection)
                connection.flush()
            except BaseException as error:  # noqa: BLE001 - a panic of the codec is none of Exception; the others go on
                connection.fail(error)

    def _answer(self, connection: Connection, events: list[ServerEvent], gone: set[int]) -> None:
        """The hot path: each line in the loop costs every call."""
        unary, reply = self._unary, connection.codec.reply
        received_s, now_s = connection.received_s, time.monotonic()
        for event in events:
            if event[0] != CALL:
                self._take(connection, event, gone)
                continue
            _, call_id, method, message, timeout_s = event
            if gone and call_id in gone:
                continue
            if timeout_s is None:
                call = NativeCall(connection, call_id, method, None)
            else:
                call = NativeCall(connection, call_id, method, received_s + timeout_s)
                if received_s + timeout_s <= now_s:
                    self._refuse(call, _late())
                    continue
            handler = unary[method]
            try:
                if handler is None:
                    self._open(call, message)
                    continue
                answer = handler(message, call)
                if isinstance(answer, bytes):
                    reply(call_id, answer)
                    continue
                if isinstance(answer, Later):
                    self._await(call, answer)
                    continue
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is answered, and logged if it is ours
                self._refuse(call, refusal_of(error, self._names[method]))
                continue
            self._start(call, self._finish(call, answer))

    def _take(self, connection: Connection, event: ServerEvent, gone: set[int]) -> None:
        """What is not a whole call: a stream's beginning and messages, and what befalls calls that wait."""
        if event[0] == OPENED:
            if event[1] not in gone:
                self._open_many(connection, event[1], event[2], event[3])
            return
        call = connection.calls.get(event[1])
        if call is None:
            return
        if event[0] == CANCELLED:
            call.end()
        elif event[0] == WRITABLE:
            call.writable()
        elif call.requests is not None:
            if event[0] == MESSAGES:
                if event[1] not in gone:
                    call.requests.put(event[2])
            elif event[0] == ENDED:
                call.requests.end()

    # --- calls that wait ------------------------------------------------------------------------------------------

    def _open(self, call: NativeCall, message: bytes) -> None:
        method = self._methods[call.method]
        assert isinstance(method, ServerStream), "the codec gives whole requests to methods with a single one"
        self._start(call, self._stream(call, method.handler(message, call)))

    def _open_many(self, connection: Connection, call_id: int, method_index: int, timeout_s: float | None) -> None:
        method = self._methods[method_index]
        assert isinstance(method, Bidirectional), "the codec opens methods with many requests"
        deadline_s = None if timeout_s is None else connection.received_s + timeout_s
        call = NativeCall(connection, call_id, method_index, deadline_s)
        if method.each is not None:
            self._open_each(call, method.each)
            return
        call.requests = Requests(partial(connection.consumed, call_id))
        self._start(call, self._stream(call, method.handler(call.requests, call)))

    def _open_each(self, call: NativeCall, each: Each) -> None:
        try:
            each.admit(call)
        except Exception as error:  # noqa: BLE001 - as in `_answer`
            self.failed(call, error)
            return
        call.requests = call.answers = OneByOne(call, each, self)
        self._watch(call)

    def _go_on(self, connection: Connection) -> None:
        resting, connection.resting = connection.resting, []
        for stream in resting:
            stream.go_on()

    def _credit(self, connection: Connection) -> None:
        """What was taken in this turn is credited once for each stream."""
        taking, self.taking = self.taking, []
        for stream in taking:
            stream.credit()
        if connection.resting:
            self.wake(connection)

    def _await(self, call: NativeCall, answer: Later) -> None:
        """A call that waits for its commit: no task, which would cost more than the call."""
        self._watch(call)
        answer.written.then(partial(self._done, call, answer))

    def _done(self, call: NativeCall, answer: Later) -> None:
        connection = call.connection
        try:
            reply = answer.make(answer.written.result())
            if not call.gone:
                connection.codec.reply(call.call_id, reply)
        except BaseException as error:  # noqa: BLE001 - see `failed`
            self.failed(call, error)
        # `ended`, for a call that has no task.
        connection.calls.pop(call.call_id, None)
        if call.deadline_s is not None:
            self._deadlines.forget(call)
        if not connection.queued:
            self.wake(connection)

    def _start(self, call: NativeCall, work: Coroutine[Any, Any, None]) -> None:
        call.task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(call.task)
        self._watch(call)

    def _watch(self, call: NativeCall) -> None:
        """Keep a call that goes on after this turn."""
        call.connection.calls[call.call_id] = call
        if call.deadline_s is not None:
            self._deadlines.watch(call, call.deadline_s)

    async def _finish(self, call: NativeCall, answer: Awaitable[bytes]) -> None:
        """The task of a unary call."""
        try:
            if call.gone:
                drop(answer)
                return
            call.started = True
            call.connection.codec.reply(call.call_id, await answer)
        except BaseException as error:  # noqa: BLE001 - see `failed`
            self.failed(call, error)
        finally:
            self.ended(call)

    async def _stream(self, call: NativeCall, replies: AsyncIterator[bytes]) -> None:
        """The task of a call with many replies."""
        connection, sent = call.connection, 0
        send, call_id = connection.codec.send, call.call_id
        try:
            if call.gone:
                return
            call.started = True
            async for reply in replies:
                room = send(call_id, reply)
                self.wake(connection)
                sent += 1
                if not room:
                    await call.until_writable()
                elif not sent % REPLIES_PER_TURN:
                    await asyncio.sleep(0)
            connection.codec.finish(call_id, Code.OK)
        except BaseException as error:  # noqa: BLE001 - see `failed`
            self.failed(call, error)
        finally:
            self.ended(call)
            if isinstance(replies, AsyncGenerator):
                # What was interrupted while it sent has a handler that still waits to go on.
                await replies.aclose()

    def failed(self, call: NativeCall, error: BaseException) -> None:
        """Answer whatever a handler raised; logged if it is ours. What is no error of a handler ends the connection."""
        if isinstance(error, asyncio.CancelledError):
            self._refuse(call, refusal(Code.CANCELLED, "CANCELLED", "the call was cancelled inside the sidecar"))
        elif isinstance(error, Exception):
            self._refuse(call, refusal_of(error, self._names[call.method]))
        else:
            call.connection.fail(error)

    def _refuse(self, call: NativeCall, because: Refusal) -> None:
        if not call.gone:
            self._on_refused(self._names[call.method], because)
            call.connection.codec.finish(call.call_id, int(because.code), because.message, because.details)

    def ended(self, call: NativeCall) -> None:
        """A call that went on after its turn is no more."""
        if call.task is not None:
            self.tasks.discard(call.task)
        call.connection.calls.pop(call.call_id, None)
        if call.deadline_s is not None:
            self._deadlines.forget(call)
        self.wake(call.connection)

    def _passed(self, call: NativeCall) -> None:
        """The deadline of a call that waits."""
        self._refuse(call, _late())
        call.end()
        self.wake(call.connection)


def _late() -> Refusal:
    return refusal(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline passed before the answer")
