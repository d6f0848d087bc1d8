"""A destination that takes everything: the fastest HTTP server that is honest about what it was sent.

Run as `python -m bench.collector`. Prints the address that it is bound to; answers every POST with an empty 200.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Final, cast

import uvloop

_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Taker(asyncio.Protocol):
    """One connection of HTTP/1.1 whose requests name their Content-Length, as ours do."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._head = bytearray()
        self._body_left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # Why a cast: uvloop's transports have the methods of asyncio's, not their classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        while data:
            if not self._body_left:
                self._head += data
                end = self._head.find(b"\r\n\r\n")
                if end < 0:
                    return
                data, length = bytes(self._head[end + 4 :]), _content_length(bytes(self._head[:end]))
                self._head.clear()
                self._body_left = length
            taken = min(self._body_left, len(data))
            self._body_left -= taken
            data = data[taken:]
            if not self._body_left and self._transport is not None:
                self._transport.write(_ANSWER)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve() -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Taker, "127.0.0.1", 0)
    print("listening on {}:{}".format(*server.sockets[0].getsockname()), flush=True)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
