"""A connection that is being made, over as many calls as it takes: each goes on with it until its own deadline.

Why not by a thread: a client leaves none behind, and a connection next door takes less than a deadline.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from sidecar_client._codec import CONNECT_S_MAX, Target

SLICE_S: Final = 0.05
"""How often it is asked whether the client was closed meanwhile."""
RECEIVE_BYTES: Final = 64 * 1024
_UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS})


class Secured:
    """TLS of one connection, between its bytes and the socket's. Not safe for threads."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def shake_hands(self, received: bytes) -> tuple[bool, bytes]:
        """Take what came; returns whether it is over, and what must be sent now. Raises OSError."""
        self._incoming.write(received)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False, self._outgoing.read()
        if self._object.selected_alpn_protocol() != "h2":
            raise ConnectionError("the server does not speak HTTP/2 over TLS")
        return True, self._outgoing.read()

    def encrypted(self, output: bytes) -> bytes:
        """What goes to the socket."""
        if output:
            self._object.write(output)
        return self._outgoing.read()

    def decrypted(self, received: bytes) -> bytes:
        """What came from the socket. Raises SSLError for what is not TLS, or was tampered with."""
        self._incoming.write(received)
        chunks = []
        try:
            while chunk := self._object.read(RECEIVE_BYTES):
                chunks.append(chunk)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            # The end, too, comes behind what was sent before it; the socket's own end follows.
            pass
        return b"".join(chunks)


class Opening:
    """One try to connect, to each number of the host's name in turn. Of one thread at a time."""

    def __init__(self, target: Target, now_s: float) -> None:
        self._target = target
        self._give_up_s = now_s + CONNECT_S_MAX
        self._left = _places(target)
        self._context = target.secured()
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._established = False
        self._handshake: Secured | None = None
        self.secured: Secured | None = None
        """TLS, once the handshake is over; None = plain text."""

    def until(self, deadline_s: float, closed: Callable[[], bool]) -> socket.socket | None:
        """Go on until it is connected; None = not yet, at the deadline or when `closed`.

        Raises OSError when no number of the host's name answers.
        """
        while True:
            try:
                return self._connected(min(deadline_s, self._give_up_s), closed)
            except OSError:
                self.close()
                if not self._left:
                    raise

    def close(self) -> None:
        """Leave it. A fork's child may call it too: what the parent holds goes on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self, deadline_s: float, closed: Callable[[], bool]) -> socket.socket | None:
        one = self._socket or self._begun()
        while not self._established:
            if not self._ready(select.POLLOUT, deadline_s, closed):
                return self._not_yet()
            refused = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if refused:
                raise OSError(refused, os.strerror(refused))
            self._established = True
        if self._context is not None and not self._shaken(one, deadline_s, closed):
            return self._not_yet()
        self._socket = None
        return one

    def _begun(self) -> socket.socket:
        family, place = self._left.pop(0)
        one = self._socket = socket.socket(family, socket.SOCK_STREAM)
        one.settimeout(0)
        if family != socket.AF_UNIX:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll = select.poll()
        self._poll.register(one, select.POLLIN)
        refused = one.connect_ex(place)
        if refused not in _UNDER_WAY:
            raise OSError(refused, os.strerror(refused))
        self._established = refused == 0
        self._handshake = None if self._context is None else Secured(self._context, self._target.server_name)
        return one

    def _shaken(self, one: socket.socket, deadline_s: float, closed: Callable[[], bool]) -> bool:
        assert self._handshake is not None, "only with a context"
        received = b""
        while True:
            over, output = self._handshake.shake_hands(received)
            # A handshake is a few kilobytes: a new socket takes them at once.
            one.sendall(output)
            if over:
                self.secured = self._handshake
                return True
            if not self._ready(select.POLLIN, deadline_s, closed):
                return False
            received = one.recv(RECEIVE_BYTES)
            if not received:
                raise ConnectionError("closed by the other side during the TLS handshake")

    def _ready(self, event: int, deadline_s: float, closed: Callable[[], bool]) -> bool:
        assert self._socket is not None, "it has begun"
        self._poll.modify(self._socket, event)
        while not closed():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            if self._poll.poll(1000 * min(left_s, SLICE_S)):
                return True
        return False

    def _not_yet(self) -> socket.socket | None:
        if time.monotonic() >= self._give_up_s:
            raise TimeoutError(errno.ETIMEDOUT, f"not connected within {CONNECT_S_MAX:.0f} s")
        return None


def _places(target: Target) -> list[tuple[socket.AddressFamily, str | tuple[str, int]]]:
    """Where to connect, in this order. Raises OSError for a host that has no number."""
    if target.path:
        return [(socket.AF_UNIX, target.path)]
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return [(family, (str(place[0]), target.port)) for family, _, _, _, place in found]
