"""The one way out over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from sidecar.config import Secret
from sidecar.destinations.endpoint import Endpoint, HttpSection
from sidecar.destinations.http import HttpClient
from sidecar.retry import Verdict
from tests.collector import Answered, Collector

BODY = b'{"a":1}'


async def test_redirects_are_never_followed(collector: Collector, client: HttpClient) -> None:
    collector.answers(Answered(302, headers={"Location": f"{collector.url}/other"}))
    answer = await client.post(Endpoint(url=collector.url, way=HttpSection()), BODY, {}, 0)
    assert (answer.verdict, answer.detail) == (Verdict.PAUSE, "302: redirects are not followed")
    assert collector.attempts == 1


async def test_one_connection_serves_one_request_after_the_other(client: HttpClient) -> None:
    peers = set()

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="x" * 1_000)

    application = web.Application()
    application.router.add_post("/", note)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = Endpoint(url=f"http://127.0.0.1:{runner.addresses[0][1]}/", way=HttpSection())
    for _ in range(5):
        await client.post(endpoint, BODY, {}, 0)
    assert len(peers) == 1
    await runner.cleanup()


async def test_a_body_above_a_megabyte_arrives_whole(collector: Collector, client: HttpClient) -> None:
    body = bytes(range(256)) * 10_000
    answer = await client.post(Endpoint(url=collector.url, way=HttpSection()), body, {}, 0)
    assert answer.verdict is Verdict.DELIVERED
    assert collector.received[0].body == body


async def test_a_proxy_is_asked_and_its_password_is_in_no_error(collector: Collector, client: HttpClient) -> None:
    proxy = Secret(f"http://user:passw0rd@127.0.0.1:{collector.port}")
    collector.answers(200, Answered(500, body="passw0rd"))
    endpoint = Endpoint(url="http://collector.invalid/x", way=HttpSection(proxy=proxy))
    assert (await client.post(endpoint, BODY, {}, 0)).verdict is Verdict.DELIVERED
    assert collector.received[0].headers["Host"] == "collector.invalid"
    assert "Proxy-Authorization" in collector.received[0].headers
    assert (await client.post(endpoint, BODY, {}, 0)).detail == "500 Internal Server Error: …"


async def test_the_environments_proxy_is_not_used(
    collector: Collector, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    answer = await client.post(Endpoint(url=collector.url, way=HttpSection()), BODY, {}, 0)
    assert answer.verdict is Verdict.DELIVERED


async def test_a_custom_authority_is_trusted_and_no_other(client: HttpClient, tmp_path: Path) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def take(_request: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    trusting = await client.post(Endpoint(url=url, way=HttpSection(ca_file=ca_file)), BODY, {}, 0)
    plain = await client.post(Endpoint(url=url, way=HttpSection()), BODY, {}, 0)
    missing = await client.post(Endpoint(url=url, way=HttpSection(ca_file=tmp_path / "no.pem")), BODY, {}, 0)
    await runner.cleanup()
    assert trusting.verdict is Verdict.DELIVERED
    assert (plain.verdict, "certificate" in plain.detail.lower()) == (Verdict.RETRY, True)
    assert (missing.verdict, "No such file" in missing.detail) == (Verdict.RETRY, True)


async def test_a_proxy_is_a_tunnel_to_a_destination_over_tls(client: HttpClient, tmp_path: Path) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bodies: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response()

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    async with tunnelling() as (proxy_port, asked):
        way = HttpSection(ca_file=ca_file, proxy=Secret(f"http://user:passw0rd@127.0.0.1:{proxy_port}"))
        answer = await client.post(Endpoint(url=f"https://127.0.0.1:{port}/", way=way), BODY, {}, 0)
        await client.close()
    await runner.cleanup()
    assert answer.verdict is Verdict.DELIVERED
    assert bodies == [BODY]
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{port} ")
    assert f"Proxy-Authorization: Basic {b64encode(b'user:passw0rd').decode()}" in asked[0]


@contextlib.asynccontextmanager
async def tunnelling() -> AsyncIterator[tuple[int, list[str]]]:
    """A proxy that tunnels one connection wherever it is told to: its port, and the heads of the requests to it."""
    asked: list[str] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        host, _, port = head.split()[1].partition(":")
        there, to_there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, to_there), pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


async def test_two_first_requests_at_once_open_one_session(collector: Collector, client: HttpClient) -> None:
    endpoint = Endpoint(url=collector.url, way=HttpSection())
    answers = await asyncio.gather(*(client.post(endpoint, BODY, {}, 0) for _ in range(2)))
    assert {answer.verdict for answer in answers} == {Verdict.DELIVERED}
    # A second session would be left open, and its warning is an error here.


async def test_closing_twice_and_unused_is_fine() -> None:
    client = HttpClient()
    await client.close()
    await client.close()


def test_destinations_load_no_http_library_until_one_is_used() -> None:
    code = "import sidecar.destinations.catalog, sys; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
