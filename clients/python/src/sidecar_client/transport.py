"""The seam under the clients: bytes to a method, bytes back. Two protocols, one blocking and one for asyncio.

An implementation owns connection, TLS, token and deadlines of single tries; it knows no message, retries
nothing and raises `WireFailure` and `ClientClosed` alone. grpcio's is in `_grpcio`, the fake's in `testing`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Protocol


class WireFailure(Exception):
    """One try failed: gRPC's code, its message, and the bytes of `grpc-status-details-bin`, if any."""

    def __init__(self, code: str, message: str, details: bytes = b"") -> None:
        self.code, self.message, self.details = code, message, details
        super().__init__(f"{code}: {message}")


class Transport(Protocol):
    """Calls that block. Safe to use from any number of threads."""

    def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """One call by full method name, as `/sidecar.v1.DecisionService/Decide`. Connects when it must.

        Raises WireFailure, with code DEADLINE_EXCEEDED after `timeout_s`, and ClientClosed.
        """
        ...

    def stream(self, method: str, request: bytes) -> Generator[bytes, None, None]:
        """A call with many replies and no deadline; closing the generator ends it.

        Raises as `unary`; `close` ends it with ClientClosed.
        """
        ...

    def wait(self, pause_s: float) -> bool:
        """Rest before another try of a stream. True when `close` was called meanwhile."""
        ...

    def close(self) -> None:
        """End every call and the connection. Idempotent."""
        ...


class AsyncTransport(Protocol):
    """Calls that await, all on one event loop."""

    async def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """As Transport.unary; cancelling the task cancels the call."""
        ...

    def stream(self, method: str, request: bytes) -> AsyncGenerator[bytes, None]:
        """As Transport.stream."""
        ...

    async def close(self) -> None:
        """As Transport.close."""
        ...
