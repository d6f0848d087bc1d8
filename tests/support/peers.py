"""The native wire without an application: a table of a few handlers, and peers that speak raw HTTP/2 to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from decision_sidecar_native import FINISHED, REPLY, ClientConnection, Limits, Outcome

from sidecar.rpc.methods import MethodTable, Refusal
from sidecar.transport.listen import ListenOptions, TcpAddress, UnixAddress
from sidecar.transport.native.server import NativeTransport


class Peer:
    """A client that does only what it is told: nothing is read or written but by its methods."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self.reader, self.writer = reader, writer
        self.connection = ClientConnection(
            scheme="http", authority="localhost", user_agent="test", limits=limits, now_s=0.0
        )
        self.replies: dict[int, list[bytes]] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.closed = False
        """Whether the server has closed the connection."""
        self.ended = False
        """Whether this side has said that it sends no more."""
        self.takes = True
        """Whether messages of streams are taken as they come, so that the server may send more."""

    def send(self) -> None:
        """Write what the codec has."""
        output = self.connection.take_output()
        if not self.ended:
            self.writer.write(output)

    async def read(self) -> None:
        """Read once, and keep what it said."""
        read = await self.reader.read(65_536)
        self.closed = not read
        for event in self.connection.receive(read, 0.0):
            if event[0] == REPLY:
                self.replies.setdefault(event[1], []).append(event[2])
                if self.takes:
                    self.connection.consumed(event[1], len(event[2]))
            elif event[0] == FINISHED:
                self.outcomes[event[1]] = event[2]
        self.send()

    async def until(self, holds: Callable[[Peer], bool]) -> None:
        """Read until something holds, five seconds at most."""
        self.send()
        async with asyncio.timeout(5):
            while not holds(self):
                assert not self.closed, "the connection was closed first"
                await self.read()

    async def outcome(self, call_id: int) -> Outcome:
        """Read until a call has ended."""
        await self.until(lambda peer: call_id in peer.outcomes)
        return self.outcomes[call_id]

    async def unary(self, path: str, message: bytes = b"") -> Outcome:
        """A whole call."""
        return await self.outcome(self.connection.call(path, message))

    def end(self) -> None:
        """Write what the codec has, and then no more."""
        self.send()
        self.ended = True
        self.writer.write_eof()

    async def until_closed(self) -> None:
        """Read to the end."""
        async with asyncio.timeout(5):
            while not self.closed:
                try:
                    await self.read()
                except ConnectionError:
                    self.closed = True


class Wire:
    """A running transport, and what its handlers were refused with."""

    def __init__(self, table: MethodTable, addresses: list[TcpAddress | UnixAddress]) -> None:
        self.refused: list[tuple[str, Refusal]] = []
        options = ListenOptions(addresses=addresses, tls=None, socket_mode=0o600)
        self.transport = NativeTransport(table, options, lambda name, refusal: self.refused.append((name, refusal)))
        self.addresses: list[str] = []

    @contextlib.asynccontextmanager
    async def peer(self, limits: Limits | None = None) -> AsyncIterator[Peer]:
        """A connection of its own."""
        host, _, port = self.addresses[0].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield Peer(reader, writer, limits or Limits())
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def serving_table(table: MethodTable, socket: Path | None = None) -> AsyncIterator[Wire]:
    addresses: list[TcpAddress | UnixAddress] = [TcpAddress("127.0.0.1", 0)]
    wire = Wire(table, [*addresses, UnixAddress(socket)] if socket else addresses)
    wire.addresses = list(await wire.transport.start())
    try:
        yield wire
    finally:
        await wire.transport.stop(0)
        assert not wire.transport._turns.tasks
        assert not wire.transport._connections
