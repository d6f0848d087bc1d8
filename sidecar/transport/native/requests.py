"""The request messages of one stream, between the connection that they came on and what takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol


class Takes(Protocol):
    """What takes the request messages of a stream."""

    def put(self, messages: Sequence[bytes]) -> None:
        """Messages came."""
        ...

    def end(self) -> None:
        """No more will come."""
        ...


class Answers(Takes, Protocol):
    """What takes them and sends the replies, without a task of its own: see `one_by_one`."""

    def go_on(self) -> None:
        """Take what had to wait for the next turn."""
        ...

    def writable(self) -> None:
        """The peer has taken enough of the replies."""
        ...

    def leave(self) -> None:
        """Nobody waits for replies any more."""
        ...


class Requests(AsyncIterator[bytes]):
    """The request messages of a stream for a handler with a task of its own, in order.

    What waits here is bounded by the window that the peer was given, who may send more only as messages are taken.
    """

    __slots__ = ("_arrived", "_ended", "_taken", "_waiting")

    def __init__(self, taken: Callable[[int], None]) -> None:
        """`taken` is told the bytes of each message when it is taken."""
        self._taken = taken
        self._waiting: deque[bytes] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._ended = False

    def put(self, messages: Sequence[bytes]) -> None:
        """See `Takes`."""
        self._waiting.extend(messages)
        self._wake()

    def end(self) -> None:
        """See `Takes`."""
        self._ended = True
        self._wake()

    async def __anext__(self) -> bytes:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._arrived = asyncio.get_running_loop().create_future()
            try:
                await self._arrived
            finally:
                self._arrived = None
        message = self._waiting.popleft()
        self._taken(len(message))
        return message

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
