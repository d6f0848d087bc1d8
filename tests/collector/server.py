"""The collector: an aiohttp server on 127.0.0.1 with a script of answers, in process or by `__main__`."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web


class Fault(StrEnum):
    """Ways for an exchange to go wrong below HTTP."""

    DROP = "drop"  # the request is read, not taken, and the connection closed without an answer
    RESET = "reset"  # the connection is reset while the request's body is on its way
    LOSE = "lose"  # the request is taken, but its answer never leaves
    TORN = "torn"  # the status line says what the script says, but the answer's body breaks off
    DRIP = "drip"  # the request is taken; its answer comes a byte at a time, for ever and never whole


@dataclass(frozen=True, slots=True)
class Answered:
    """One line of a script: what the collector does with one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    delay_s: float = 0.0
    fault: Fault | None = None

    @property
    def takes(self) -> bool:
        """Whether a request answered so has arrived for good."""
        return 200 <= self.status < 300 and self.fault not in (Fault.DROP, Fault.RESET)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came; `body` is decompressed, `sent_bytes` its size on the wire."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    sent_bytes: int
    answered: Answered

    def json(self) -> Any:
        return json.loads(self.body)


OK = Answered()
_DRIP_S = 0.02
Judge = Callable[[Received], Answered]


class Collector:
    """Answers by `script`, one line a request; when it is used up, by `judge`, else by `default`."""

    def __init__(self, default: Answered = OK, tls: ssl.SSLContext | None = None) -> None:
        self.default = default
        self._tls = tls
        self.script: deque[Answered] = deque()
        self.judge: Judge | None = None
        self.received: list[Received] = []
        self.attempts = 0
        """Requests begun, those that were reset included."""
        self.keep = True
        """False counts `attempts` only: a load keeps no bodies."""
        self.listener: Callable[[Received], None] | None = None
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def taken(self) -> list[Received]:
        """The requests that arrived for good, in order."""
        return [request for request in self.received if request.answered.takes]

    def answers(self, *lines: Answered | int) -> None:
        """Append lines to the script; a number is a bare status."""
        self.script.extend(Answered(line) if isinstance(line, int) else line for line in lines)

    async def start(self, port: int = 0) -> None:
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/_collector/{what}", self._control)
        application.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening; `start` takes the same port again."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def wait_for(self, requests: int, timeout_s: float = 5.0) -> None:
        """Returns when that many requests have been received in all."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= requests)

    async def wait_until(self, holds: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Returns when something holds, looked at after each request."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(holds)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.attempts += 1
        line = self.script.popleft() if self.script else None
        if line is not None and line.fault is Fault.RESET:
            await request.content.read(1)
            _reset(request)
            return web.Response()
        sent = await request.read()
        # aiohttp decompresses what Content-Encoding names; what was sent is known by its length alone.
        sent_bytes = request.content_length or len(sent)
        received = Received(request.path, dict(request.headers), sent, sent_bytes, line or self.default)
        if line is None and self.judge is not None:
            line = self.judge(received)
            received = Received(received.path, received.headers, sent, sent_bytes, line)
        line = line or self.default
        await self._remember(received)
        if line.delay_s:
            await asyncio.sleep(line.delay_s)
        return await self._respond(request, line)

    async def _remember(self, received: Received) -> None:
        if self.keep:
            self.received.append(received)
        if self.listener is not None:
            self.listener(received)
        async with self._arrived:
            self._arrived.notify_all()

    async def _respond(self, request: web.Request, line: Answered) -> web.StreamResponse:
        if line.fault in (Fault.DROP, Fault.LOSE):
            _close(request)
            return web.Response()
        if line.fault is Fault.DRIP:
            return await _drip(request)
        if line.fault is Fault.TORN:
            torn = web.StreamResponse(status=line.status, headers={**line.headers, "Content-Length": "1000"})
            await torn.prepare(request)
            await torn.write(b"half")
            _close(request)
            return torn
        return web.Response(status=line.status, headers=line.headers, text=line.body)

    async def _control(self, request: web.Request) -> web.Response:
        """For other processes: POST `script` (a list of Answered), POST `default`, GET `counts`."""
        what = request.match_info["what"]
        if what == "script":
            self.script.extend(lines_of(await request.json()))
        elif what == "default":
            (self.default,) = lines_of([await request.json()])
        return web.json_response({"attempts": self.attempts, "received": len(self.received)})


def lines_of(script: Iterable[Mapping[str, Any]]) -> list[Answered]:
    """A script from JSON: objects with the fields of `Answered`."""
    return [Answered(**{**line, "fault": Fault(line["fault"]) if line.get("fault") else None}) for line in script]


def unzipped(received: Received) -> bytes:
    """The body, decompressed if the server has not done it."""
    return gzip.decompress(received.body) if received.body[:2] == b"\x1f\x8b" else received.body


async def _drip(request: web.Request) -> web.Response:
    """Answer below HTTP: the head of an answer that never ends, until the other side has had enough."""
    transport = request.transport
    if transport is not None:
        transport.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not transport.is_closing():
            transport.write(b"x")
            await asyncio.sleep(_DRIP_S)
    return web.Response()


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def _reset(request: web.Request) -> None:
    """Close with a TCP reset instead of a goodbye."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
