"""What stands before every handler: whether calls are taken, who may call, and how large a request may be.

The bearer token is compared in constant time, and never said. Health stays open without one, as probes have none.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from sidecar.errors import Stopping
from sidecar.rpc import health
from sidecar.rpc.methods import (
    Bidirectional,
    Call,
    Code,
    Each,
    Method,
    MethodTable,
    ServerStream,
    ServerStreamHandler,
    Stream,
    StreamHandler,
    Unary,
    UnaryHandler,
)
from sidecar.rpc.refusals import refusal
from sidecar.telemetry import Telemetry

_BEARER: Final = "Bearer "


class Gate:
    """Wraps the handlers of a table. One gate for all transports of the process."""

    def __init__(self, telemetry: Telemetry, token: Callable[[], str | None] | None = None) -> None:
        """`token` gives the bearer token that calls must carry, None for none; asked each call, so it may change.

        Without `token` no call needs one, ever.
        """
        self._telemetry, self._token = telemetry, token
        self._waiting: set[asyncio.Task[object]] = set()
        """The tasks of streams that wait for their handler's next reply; each adds and removes itself."""
        self._streams: set[Stream] = set()
        """Those whose requests are answered one at a time; the wire adds and removes them."""
        self.shut = False

    def close(self) -> None:
        """From now on calls are refused with UNAVAILABLE/STOPPING, and the streams that run are ended with it."""
        self.shut = True
        for task in self._waiting:
            task.cancel()
        for stream in tuple(self._streams):
            stream.fail(Stopping())

    def guard(self, table: MethodTable) -> MethodTable:
        """The same table behind the gate."""
        return {name: self._guarded(name, method) for name, method in table.items()}

    def _guarded(self, name: str, method: Method) -> Method:
        if isinstance(method, Unary):
            return Unary(self._unary(name, method.handler))
        if isinstance(method, ServerStream):
            return ServerStream(self._server_stream(name, method.handler))
        each = method.each and self._each(name, method.each)
        return Bidirectional(self._bidirectional(name, method.handler), each)

    def _unary(self, name: str, handler: UnaryHandler) -> UnaryHandler:
        admit, calls = self._admit(name), self._telemetry.calls

        def unary(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
            calls[name] += 1
            if self.shut:
                raise Stopping
            if admit is not None:
                admit(call)
            return handler(request, call)

        return unary

    def _server_stream(self, name: str, handler: ServerStreamHandler) -> ServerStreamHandler:
        admit, calls = self._admit(name), self._telemetry.calls

        async def stream(request: bytes, call: Call) -> AsyncIterator[bytes]:
            calls[name] += 1
            if admit is not None:
                admit(call)
            async for reply in self._until_shut(handler(request, call)):
                yield reply

        return stream

    def _bidirectional(self, name: str, handler: StreamHandler) -> StreamHandler:
        admit, calls = self._admit(name), self._telemetry.calls

        async def stream(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
            calls[name] += 1
            if admit is not None:
                admit(call)
            async for reply in self._until_shut(handler(requests, call)):
                yield reply

        return stream

    def _each(self, name: str, each: Each) -> Each:
        admit, calls = self._admit(name), self._telemetry.calls

        def begin(call: Call) -> None:
            calls[name] += 1
            self._raise_if_shut()
            if admit is not None:
                admit(call)

        # Why no guard before each answer: a stream that is in the set when the gate shuts is ended then.
        return Each(answer=each.answer, admit=begin, streams=self._streams)

    def _admit(self, name: str) -> Callable[[Call], None] | None:
        """What a call of a method must pass; None, which costs nothing, where nobody needs a token."""
        current_token = self._token
        if current_token is None or name.startswith(health.SERVICE):
            return None

        def admit(call: Call) -> None:
            token = current_token()
            if token is not None and not _carries(call, token):
                message = "the call carries no valid bearer token; wanted `authorization: Bearer …` in its metadata"
                raise refusal(Code.UNAUTHENTICATED, "UNAUTHENTICATED", message)

        return admit

    async def _until_shut(self, replies: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass replies on until the gate shuts, then tell the reader that the process is stopping.

        Why by cancelling the call's own task: a race of two futures for each message would cost more than the message.
        Why only while it waits for its handler: a cancellation that meets the transport, which is sending, ends the
        call without a status. A stream that sends comes back here and finds the gate shut.
        """
        task = asyncio.current_task()
        assert task is not None, "a stream runs in the task of its call"
        iterator = aiter(replies)
        while True:
            self._raise_if_shut()
            self._waiting.add(task)
            try:
                reply = await anext(iterator)
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                if not self.shut:
                    raise
                task.uncancel()
                raise Stopping from None
            finally:
                self._waiting.discard(task)
            yield reply

    def _raise_if_shut(self) -> None:
        if self.shut:
            raise Stopping


def _carries(call: Call, token: str) -> bool:
    given = call.header("authorization") or ""
    return given.startswith(_BEARER) and hmac.compare_digest(given.removeprefix(_BEARER).encode(), token.encode())
