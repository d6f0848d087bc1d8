"""Accepts connections of TLS, and counts them from their first moment on.

Why not asyncio's own server: it tells nobody of a connection before its handshake is done, so that peers who never
finish theirs would take all descriptors of the process, whatever the bound of connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sidecar.transport.native.connection import Connection

HANDSHAKE_S: Final = 10.0
"""How long a peer may take for the handshake."""
_ACCEPTED_PER_TURN: Final = 64
"""Connections accepted before others get their turn: a handshake costs a millisecond."""
_REST_S: Final = 1.0
"""How long nothing is accepted when the process has no descriptor left."""


class Handshakes:
    """Those under way, and the sockets that they come from. Of the event loop's thread alone."""

    def __init__(self, context: ssl.SSLContext, connect: Callable[[], Connection], admits: Callable[[], bool]) -> None:
        """`admits` says whether there is room for one more; who finds none is closed unanswered."""
        self._context, self._connect, self._admits = context, connect, admits
        self._listeners: list[socket.socket] = []
        self._resting: dict[socket.socket, asyncio.TimerHandle] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        """One for each that is under way. They end by themselves: done, failed or too late."""

    def listen(self, listener: socket.socket) -> None:
        """Accept from a socket that is bound and does not block; it is closed here."""
        self._listeners.append(listener)
        self._resume(listener)

    def close(self) -> None:
        """Accept no more, and give up those under way."""
        loop = asyncio.get_running_loop()
        while self._listeners:
            listener = self._listeners.pop()
            if listener in self._resting:
                self._resting.pop(listener).cancel()
            loop.remove_reader(listener)
            listener.close()
        for task in self.tasks:
            task.cancel()

    def _resume(self, listener: socket.socket) -> None:
        self._resting.pop(listener, None)
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTED_PER_TURN):
            try:
                one, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._rest(listener)
                return
            if not self._admits():
                one.close()
                continue
            one.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            if one.family != socket.AF_UNIX:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.get_running_loop().create_task(self._shake(one))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _rest(self, listener: socket.socket) -> None:
        """No descriptor is left. The socket stays readable, so that it would be asked at each turn."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        self._resting[listener] = loop.call_later(_REST_S, self._resume, listener)

    async def _shake(self, one: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # Why nothing is said: whoever scans the port fails here, and nobody has asked for anything yet.
        with contextlib.suppress(OSError, TimeoutError):
            await loop.connect_accepted_socket(self._connect, one, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S)
