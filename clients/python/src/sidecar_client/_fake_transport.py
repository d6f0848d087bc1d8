"""Both transports in memory, for the fake of `testing`: a call is a call of its `answer`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Protocol

from sidecar_client.errors import ClientClosed


class Answers(Protocol):
    """What answers the calls."""

    def answer(self, method: str, request: bytes) -> bytes:
        """The reply to one call. Raises WireFailure."""
        ...


class FakeTransport:
    """Transport in memory."""

    def __init__(self, fake: Answers) -> None:
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


class AsyncFakeTransport:
    """AsyncTransport in memory."""

    def __init__(self, fake: Answers) -> None:
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
