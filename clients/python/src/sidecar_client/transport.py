"""The seam under the clients: bytes to a method, bytes back. Two protocols, one blocking and one for asyncio.

The native implementations are in `_native` and `_native_async`, grpcio's in `_grpcio`, the fake's in `testing`;
another needs nothing but what is written here, is given `Settings` and takes address, TLS and `reply_bytes_max` from
it. What every implementation promises:

* **Calls.** It knows no message and retries nothing: one call is one try, so that the client alone decides what is sent
  twice. A failed one raises `WireFailure` or `ClientClosed`, and nothing else. gRPC's own message bound for what is
  sent is off: the sidecar's refusal says more.
* **Headers.** `Settings.metadata()` is read in the caller's thread or task at the begin of each try: a token may be
  new, and the span is the caller's.
* **Connection.** Made by the first call, shared by all, made anew after it broke, without a call having to fail for
  each attempt: between two, 100 ms rising to 1 s. A call that finds none fails with UNAVAILABLE, not later than its
  deadline, and before it was sent; one whose connection broke under way fails with UNAVAILABLE too. No proxy of the
  environment is used. On a Unix socket the authority is `localhost`.
* **Deadline.** It is sent as `grpc-timeout`, and kept here too: a call returns in time though the peer stands still.
* **Fork.** A blocking transport works in a forked child: it never uses or closes what belongs to the parent. Where it
  cannot, the child's calls fail at once and say why. One for asyncio dies with its loop and is made in the child.
* **Close.** Ends every call, stream and wait under way with ClientClosed, from any thread; after it every call raises
  ClientClosed. Idempotent. No thread, task or socket is left.

Why there are no client streams: an import is a row of calls, each with a deadline, and an answer that says what was
accepted; a sidecar next door leaves no round trip worth a stream.
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
        """Rest before another try, outside of any call. True when `close` was called, at once when it is meanwhile."""
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
