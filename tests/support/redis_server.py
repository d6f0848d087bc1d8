"""A real `redis-server` on loopback, and a proxy in front of it that delays what it answers."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

MISSING = "; ".join(
    what
    for what, there in (
        ("no redis-server on the path: apt-get install redis-server", shutil.which("redis-server")),
        ("no package redis: pip install redis", importlib.util.find_spec("redis")),
    )
    if not there
)
"""Why tests against a Redis cannot run here, empty when they can."""


class RedisServer:
    """One process on a free port, which keeps its data in a directory and its port over a restart."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it takes connections."""
        options = f"--bind 127.0.0.1 --port {self.port} --save --appendonly yes --appendfsync always --dir"
        self._process = subprocess.Popen(
            ["redis-server", *options.split(), str(self._directory)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                return
        raise AssertionError(f"redis-server did not start: {''.join(said)}")

    def kill(self) -> None:
        """Kill -9; idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def pause(self, milliseconds: int) -> None:
        """Have it answer nobody for so long (`CLIENT PAUSE`)."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(f"CLIENT PAUSE {milliseconds} ALL\r\n".encode())
            assert connection.recv(64) == b"+OK\r\n"


@asynccontextmanager
async def delaying(port: int, delay_s: float) -> AsyncIterator[int]:
    """A proxy to a port of loopback whose answers arrive `delay_s` later, many at the same time; yields its port."""
    loop = asyncio.get_running_loop()
    writers: list[asyncio.StreamWriter] = []

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((to_client, to_server))

        async def forward() -> None:
            while chunk := await client.read(65_536):
                to_server.write(chunk)

        async def back() -> None:
            while chunk := await server.read(65_536):
                loop.call_later(delay_s, to_client.write, chunk)

        await asyncio.gather(forward(), back(), return_exceptions=True)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()
        for writer in writers:
            writer.close()
        await proxy.wait_closed()
