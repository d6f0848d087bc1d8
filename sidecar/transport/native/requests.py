"""The request messages of one stream, between the connection that they came on and the handler that takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable


class Requests(AsyncIterator[bytes]):
    """The request messages of a stream, in order. What waits here is bounded by the window that the peer was given.

    The peer may send as much again only as messages are taken.
    """

    __slots__ = ("_arrived", "_ended", "_taken", "_waiting")

    def __init__(self, taken: Callable[[int], None]) -> None:
        """`taken` is told the bytes of each message when it is taken."""
        self._taken = taken
        self._waiting: deque[bytes] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._ended = False

    def put(self, message: bytes) -> None:
        """A message came."""
        self._waiting.append(message)
        self._wake()

    def end(self) -> None:
        """No more will come."""
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
