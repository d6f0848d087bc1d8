"""HTTP/2 by hand, over a plain blocking socket: for peers that are broken or mean harm, which no library will be.

Header blocks are literal fields, never indexed, not compressed: RFC 7541 section 6.2.3. Frames: RFC 9113 section 4.1.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK, END_STREAM, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW_SIZE = 4
ENHANCE_YOUR_CALM = 11

_PATIENCE_S = 20.0
_HEAD_BYTES = 9


@dataclass(frozen=True, slots=True)
class Frame:
    """One that was read."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def settings(*entries: tuple[int, int]) -> bytes:
    payload = b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in entries)
    return frame(SETTINGS, 0, 0, payload)


def block(fields: Iterable[tuple[str, str]], literal: bytes = b"\x10") -> bytes:
    """A header block; with `literal` 0x40 its fields enter the table of the receiver (section 6.2.1)."""
    parts = []
    for field in fields:
        parts.append(literal)
        for text in field:
            parts += [_length(len(text)), text.encode()]
    return b"".join(parts)


def _length(length: int) -> bytes:
    """Section 5.1, a prefix of seven bits, the eighth (Huffman) clear."""
    if length < 127:
        return bytes((length,))
    rest, parts = length - 127, [127]
    while rest >= 128:
        parts.append(rest % 128 | 128)
        rest //= 128
    return bytes((*parts, rest))


def head(method: str, *more: tuple[str, str]) -> bytes:
    """The header block of a call."""
    return block(
        (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", "localhost"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            *more,
        )
    )


def message(body: bytes) -> bytes:
    """A message of gRPC, not compressed."""
    return b"\0" + len(body).to_bytes(4, "big") + body


def call(stream: int, method: str, body: bytes) -> bytes:
    """A whole unary call, whose message fits into one frame."""
    return frame(HEADERS, END_HEADERS, stream, head(method)) + frame(DATA, END_STREAM, stream, message(body))


class RawPeer:
    """A connection that says what it is told, and reads when it is told. Use as a context manager."""

    def __init__(self, address: str, *entries: tuple[int, int]) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=_PATIENCE_S)
        self.opening = PREFACE + settings(*entries)
        self._unread = b""
        self._read_bytes = 65_536

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def greet(self) -> Self:
        """Say the preface and the settings."""
        self.socket.sendall(self.opening)
        return self

    def settled(self) -> Self:
        """Say the preface, and take the server's settings: its windows count from then on."""
        self.greet()
        next(one for one in self.frames() if one.kind == SETTINGS and not one.flags)
        self.socket.sendall(frame(SETTINGS, ACK, 0))
        return self

    def send(self, data: bytes) -> bool:
        """Write all of it; False when the server has closed the connection."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def frames(self) -> Iterator[Frame]:
        """What the server says until it closes the connection, in order or not. Raises `TimeoutError`."""
        while True:
            while len(self._unread) < _HEAD_BYTES or len(self._unread) < _HEAD_BYTES + self._payload_bytes():
                read = b""
                with contextlib.suppress(ConnectionResetError):
                    read = self.socket.recv(self._read_bytes)
                if not read:
                    return
                self._unread += read
            one, end = self._unread, _HEAD_BYTES + self._payload_bytes()
            self._unread = one[end:]
            yield Frame(one[3], one[4], int.from_bytes(one[5:9], "big"), one[9:end])

    def _payload_bytes(self) -> int:
        return int.from_bytes(self._unread[:3], "big")

    def answer(self, stream: int, read_bytes: int = 65_536) -> bytes | None:
        """The message that answers a unary call; None when it ends without one, or the connection does."""
        self._read_bytes, read = read_bytes, b""
        for one in self.frames():
            if one.stream == stream and one.kind == DATA:
                read += one.payload
            if one.stream == stream and (one.kind == RST_STREAM or one.flags & END_STREAM):
                break
        return read[5:] or None

    def goodbye(self) -> tuple[int, str] | None:
        """Read to the end: the code and the text of the last GOAWAY, None when the connection ends without one."""
        last = None
        for one in self.frames():
            if one.kind == GOAWAY:
                last = (int.from_bytes(one.payload[4:8], "big"), one.payload[8:].decode())
        return last


def cut_at(peer: RawPeer, pieces: Iterable[bytes]) -> int:
    """Send until the server closes the connection, reading nothing; returns how many pieces were sent."""
    sent = 0
    for sent, piece in enumerate(pieces, 1):  # noqa: B007 - it is what comes back
        if not peer.send(piece):
            break
    return sent
