"""A load of one bidirectional stream a connection, on the native codec: so many messages in flight, answered in order.

The client is in this process, on the core of the load; only the server's CPU is measured.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Iterator
from typing import Final

from decision_sidecar_native import FINISHED, REPLY, ClientConnection, Limits

from bench.h2load import Shape

_READ_BYTES: Final = 256 * 1024
_PATIENCE_S: Final = 60.0


class _Stream:
    """One stream on a connection of its own. `left` messages are to be sent, `open` of those sent are not answered."""

    def __init__(self, address: str, method: str, message: bytes, left: int) -> None:
        self._message, self._left = message, left
        self._socket = _connected(address)
        self._codec = ClientConnection(
            scheme="http", authority="localhost", user_agent="bench", limits=Limits(), now_s=0.0
        )
        self._call = self._codec.open(method)
        self.unanswered, self.reply_bytes, self.finished = 0, 0, False

    def fileno(self) -> int:
        """See `selectors`."""
        return self._socket.fileno()

    def send(self, count: int) -> None:
        """Send so many more messages, or those that are left; then end."""
        for _ in range(min(count, self._left)):
            self._codec.send(self._call, self._message)
            self.unanswered += 1
            self._left -= 1
        if count and not self._left:
            self._codec.half_close(self._call)
        self._socket.sendall(self._codec.take_output())

    def read(self) -> None:
        """Read once; answered messages make room for others. Raises `RuntimeError` when the stream fails."""
        read = self._socket.recv(_READ_BYTES)
        answered = 0
        for event in self._codec.receive(read, 0.0):
            if event[0] == REPLY:
                answered += 1
                self.reply_bytes = len(event[2])
                self._codec.consumed(event[1], len(event[2]))
            elif event[0] == FINISHED:
                self.finished = True
                if event[2].code:
                    raise RuntimeError(f"the stream ended with {event[2].code}: {event[2].status_message}")
        if not read and not self.finished:
            raise RuntimeError("the stream's connection was closed")
        self.unanswered -= answered
        self.send(answered)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def stream(address: str, method: str, message: bytes, shape: Shape) -> float:
    """Send as many messages as the shape has calls, over its connections; returns the wall seconds.

    Raises `RuntimeError` unless each message is answered and each stream ends with OK.
    """
    each = shape.calls // shape.connections
    began_s = time.monotonic()
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        streams = [_Stream(address, method, message, each) for _ in range(shape.connections)]
        for one in streams:
            stack.callback(one.close)
            selector.register(one, selectors.EVENT_READ, one)
            one.send(shape.streams)
        for one in _readable(selector, began_s + _PATIENCE_S):
            one.read()
            if one.finished:
                selector.unregister(one)
        if left := sum(one.unanswered for one in streams):
            raise RuntimeError(f"{left} messages of the streams were not answered")
    return time.monotonic() - began_s


def _readable(selector: selectors.BaseSelector, until_s: float) -> Iterator[_Stream]:
    while selector.get_map():
        for key, _ in selector.select(timeout=1.0):
            yield key.data
        if time.monotonic() > until_s:
            raise RuntimeError(f"streams took more than {_PATIENCE_S:.0f} s")


def _connected(address: str) -> socket.socket:
    if address.startswith("unix:"):
        one = socket.socket(socket.AF_UNIX)
        one.connect(address.removeprefix("unix:"))
        return one
    host, _, port = address.rpartition(":")
    one = socket.create_connection((host, int(port)), timeout=_PATIENCE_S)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one
