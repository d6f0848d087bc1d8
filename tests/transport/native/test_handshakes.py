"""Handshakes of TLS: peers that begin one and go no further have their place among the connections, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from sidecar import limits
from sidecar.rpc.methods import Unary
from sidecar.transport.listen import ListenOptions, TcpAddress, TlsFiles, UnixAddress
from sidecar.transport.native import handshakes
from sidecar.transport.native.server import NativeTransport


class Secured:
    """A transport of TLS, and how to reach it."""

    def __init__(self, directory: Path, address: TcpAddress | UnixAddress) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("localhost")
        leaf.private_key_pem.write_to_path(directory / "key.pem")
        leaf.cert_chain_pems[0].write_to_path(directory / "cert.pem")
        self.context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        authority.configure_trust(self.context)
        self.context.set_alpn_protocols(["h2"])
        files = TlsFiles(directory / "cert.pem", directory / "key.pem")
        options = ListenOptions(addresses=[address], tls=files, socket_mode=0o600)
        table = {"/s/Echo": Unary(lambda request, call: request)}
        self.transport = NativeTransport(table, options, lambda name, refusal: None)
        self.address = ""

    async def connect(self, context: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        named: dict[str, Any] = {"ssl": context, "server_hostname": "localhost"} if context else {}
        if self.address.startswith("unix:"):
            return await asyncio.open_unix_connection(self.address.removeprefix("unix:"), **named)
        host, _, port = self.address.rpartition(":")
        return await asyncio.open_connection(host, int(port), **named)

    @contextlib.asynccontextmanager
    async def silent(self) -> AsyncIterator[asyncio.StreamReader]:
        """A peer that connects and says nothing."""
        reader, writer = await self.connect(None)
        try:
            yield reader
        finally:
            writer.close()

    async def greets(self) -> bool:
        """Whether a peer that shakes hands is spoken to: the server's SETTINGS come."""
        reader, writer = await self.connect(self.context)
        try:
            return len(await reader.readexactly(9)) == 9
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def secured(directory: Path, address: TcpAddress | UnixAddress | None = None) -> AsyncIterator[Secured]:
    one = Secured(directory, address or TcpAddress("127.0.0.1", 0))
    one.address = (await one.transport.start())[0]
    try:
        yield one
    finally:
        await one.transport.stop(0)
        assert one.transport._handshakes is not None
        assert not one.transport._handshakes.tasks


async def until_closed(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionResetError):
            assert not await reader.read()


async def until_greeted(one: Secured) -> None:
    """Places come back when the sockets that held them are seen to be gone."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if await one.greets():
                    return
            await asyncio.sleep(0.01)


async def test_tcp_and_unix_sockets_are_served(tmp_path: Path) -> None:
    for address in (None, UnixAddress(Path(tmp_path, "s"))):
        async with secured(tmp_path, address) as one:
            assert await one.greets()


async def test_handshakes_that_do_not_end_count_as_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 2)
    with capture_logs() as logs:
        async with secured(tmp_path) as one:
            async with one.silent(), one.silent(), one.silent() as third:
                await until_closed(third)
            await until_greeted(one)
    assert [log["event"] for log in logs] == ["connections_full"]


async def test_handshake_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKE_S", 0.05)
    async with secured(tmp_path) as one, one.silent() as silent:
        await until_closed(silent)
        assert await one.greets()


async def test_stop_gives_up_handshakes(tmp_path: Path) -> None:
    async with secured(tmp_path) as one, one.silent() as silent:
        assert await one.greets()
        await one.transport.stop(0)
        await until_closed(silent)


async def test_peers_that_speak_no_tls_bother_nobody(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with secured(tmp_path) as one:
            for _ in range(20):
                reader, writer = await one.connect(None)
                writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
                writer.close()
            assert await one.greets()
    assert not logs
