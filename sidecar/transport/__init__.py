"""The wires: bindings of one method table to a gRPC implementation. Nothing but `app` imports them.

`native` runs our own codec on the event loop's sockets, `grpcio` mounts the table on `grpc.aio`; each is loaded only
when it serves. A binding knows sockets, TLS, deadlines and status trailers, and no message type. Specification:
docs/transport.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Transport(Protocol):
    """A wire with its table. Started and stopped by `app`; stopping what is stopped does nothing."""

    @property
    def name(self) -> str:
        """The word for it in configuration, log and metrics."""
        ...

    async def start(self) -> Sequence[str]:
        """Bind every address and serve; returns them as bound (port 0 replaced).

        Raises `OSError` when a port is taken, `ConfigInvalid` when a socket's path is.
        """
        ...

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, let the running ones finish for `grace_s` seconds, then cut them."""
        ...
