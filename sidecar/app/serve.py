"""The life of the daemon: start in order, serve until a signal, stop in order. Rules: docs/operations.md "Life".

Start: lock the data directory → outbox → listen (NOT_SERVING) → first datafile → SERVING. Stop, at the first SIGTERM or
SIGINT: NOT_SERVING → calls still taken for the stop delay → STOPPING → running calls finish → deliveries drain → close.
A second signal skips what is left of the delay and the drain; nothing is lost by that, it is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Final

import structlog

from sidecar import __version__, limits
from sidecar.app import hints, logs
from sidecar.app.build import Parts, build
from sidecar.app.settings import Settings
from sidecar.app.system import locked, use_one_malloc_arena
from sidecar.errors import SidecarError
from sidecar.transport.listen import TcpAddress, parse_address

SWITCH_INTERVAL_S: Final = 0.001
"""How long a thread (a commit, a compile) may keep the interpreter from the event loop; Python's own is 5 ms."""
GARBAGE_THRESHOLDS: Final = (5_000, 20, 50)
"""Allocations between collections. A call leaves few cycles, so Python's own 700 would mostly search in vain; ten times
as many as here would keep 4 MiB of garbage."""


def run(settings: Settings) -> None:
    """Serve until a signal. Raises what `build` does, and `OSError` when an address is taken."""
    import uvloop

    use_one_malloc_arena()
    logs.configure(settings.log)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Why so early: what was imported stays, and looking it through costs 25 ms of a start to find thirty objects.
    gc.freeze()
    with locked(settings.data_dir):
        try:
            uvloop.run(_serve(settings))
        except ExceptionGroup as failed:
            # Why unwrapped: a taken port is a sentence for a person, but the TaskGroup wraps what ends its body.
            alone = failed.exceptions[0] if len(failed.exceptions) == 1 else failed
            raise (alone if isinstance(alone, SidecarError | OSError) else failed) from None


class StopSignals:
    """SIGTERM and SIGINT: the first one asks to stop, the second one not to wait."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()

    def listen(self) -> None:
        """Receive the signals of the process, on the running loop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.receive)

    def receive(self) -> None:
        """Count one signal."""
        (self.hurry if self.stop.is_set() else self.stop).set()

    async def hurried_within(self, seconds: float) -> bool:
        """Wait so long, or until the second signal; returns whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()
        return self.hurry.is_set()


async def _serve(settings: Settings) -> None:
    log = structlog.get_logger()
    signals = StopSignals()
    signals.listen()
    async with contextlib.AsyncExitStack() as closing:
        parts = await build(settings, closing)
        async with asyncio.TaskGroup() as group:
            services: list[asyncio.Task[None]] = [
                group.create_task(service())
                for service in (*parts.datafiles.services(), *parts.delivery.services().values(), *parts.keeping)
            ]
            try:
                async with _listening(settings, parts):
                    # What was made so far lives as long as the process: the collector need not look at it again, once
                    # the garbage of the start is gone, which would stay for good.
                    gc.collect()
                    gc.freeze()
                    await signals.stop.wait()
                    log.info("stopping", delay_s=settings.stop_delay_s)
                    parts.health.stop()
                    await signals.hurried_within(settings.stop_delay_s)
                    parts.gate.close()
                    await signals.hurried_within(limits.REFUSING_S)
                    await parts.transport.stop(settings.grace_s)
                    await _drain(settings, parts, signals, group)
            finally:
                for service in services:
                    service.cancel()
    log.info("stopped")


@contextlib.asynccontextmanager
async def _listening(settings: Settings, parts: Parts) -> AsyncIterator[None]:
    """Serve gRPC and HTTP; HTTP to the last, so that a probe sees the daemon stop."""
    try:
        addresses = await parts.transport.start()
        face, http_address = None, ""
        if settings.http_listen != "off":
            address = parse_address(settings.http_listen)
            assert isinstance(address, TcpAddress), "checked by the settings"
            # Why here: aiohttp costs 10 MiB, and only HTTP needs it.
            from sidecar.http.server import HttpFace

            face = HttpFace(not_ready=lambda: _not_ready(parts), metrics=parts.metrics.render)
            http_address = await face.start(address.host, address.port)
        structlog.get_logger().info(
            "listening",
            version=__version__,
            pid=os.getpid(),
            grpc=list(addresses),
            http=http_address,
            transport=parts.transport.name,
            data_dir=str(settings.data_dir),
        )
        if settings.hints:
            hints.show(addresses, http_address, settings)
        try:
            yield
        finally:
            if face is not None:
                await face.stop()
    finally:
        await parts.transport.stop(0)


async def _drain(settings: Settings, parts: Parts, signals: StopSignals, group: asyncio.TaskGroup) -> None:
    """Deliver what is pending until the deadline or the second signal."""
    drain = group.create_task(parts.delivery.drain(settings.drain_s))
    hurry = group.create_task(signals.hurry.wait())
    await asyncio.wait((drain, hurry), return_when=asyncio.FIRST_COMPLETED)
    drain.cancel()
    hurry.cancel()
    left = {name: parts.outbox.pending(name) for name in (one.name for one in parts.destinations)}
    structlog.get_logger().info("drained", left={name: events for name, events in left.items() if events})


def _not_ready(parts: Parts) -> str:
    if parts.health.serving():
        return ""
    return "the sidecar is stopping" if parts.health.stopping else "the default datafile is not loaded"
