"""`/livez`, `/readyz` and `/metrics` over aiohttp, on an address of its own.

Live: the event loop turns. Ready: the first decision will succeed, as gRPC health says. Both answer in plain words, so
that `kubectl describe` shows why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web


class HttpFace:
    """The HTTP server. Started and stopped once, by `app`."""

    def __init__(self, *, not_ready: Callable[[], str], metrics: Callable[[], Awaitable[bytes]]) -> None:
        """`not_ready` says why the daemon is not ready, "" when it is; `metrics` renders the exposition text."""
        self._not_ready, self._metrics = not_ready, metrics
        application = web.Application()
        application.add_routes(
            [
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._scrape),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._log = structlog.get_logger()

    async def start(self, host: str, port: int) -> str:
        """Bind and serve; returns the address as bound. Raises `OSError` when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as refused:
            raise OSError(f"cannot listen on {host}:{port} for HTTP: {refused.strerror or refused}") from refused
        bound = self._runner.addresses[0]
        return f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Close the listener and its connections. Idempotent."""
        await self._runner.cleanup()

    async def _livez(self, request: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        reason = self._not_ready()
        return web.Response(text=f"not ready: {reason}\n", status=503) if reason else web.Response(text="ready\n")

    async def _scrape(self, request: web.Request) -> web.Response:
        return web.Response(
            body=await self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )
