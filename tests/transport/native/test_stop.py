"""How the native wire stops: listeners first, running calls within the grace, the rest told and cut."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import Stopping
from sidecar.rpc.methods import Call, Code, Unary

ECHO = {"/s/Echo": Unary(lambda request, call: request)}


class Slow:
    """A handler that says that it runs, and waits to be let go."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def handle(self, request: bytes, call: Call) -> bytes:
        self.begun.set()
        await self.go_on.wait()
        return b"done"


async def test_running_call_finishes_and_no_connection_is_taken(serve: Any) -> None:
    slow = Slow()
    async with serve({"/s/Slow": Unary(slow.handle)}) as wire, wire.peer() as peer:
        call = peer.connection.call("/s/Slow", b"")
        peer.send()
        await slow.begun.wait()
        stopped = asyncio.create_task(wire.transport.stop(10.0))
        await peer.until(lambda peer: peer.connection.drained)
        with pytest.raises(ConnectionRefusedError):
            async with wire.peer():
                pass
        slow.go_on.set()
        assert (await peer.outcome(call)).message == b"done"
        await peer.until_closed()
        await stopped


async def test_call_sent_before_the_caller_reads_of_the_end_is_answered(serve: Any) -> None:
    slow = Slow()
    async with serve({**ECHO, "/s/Slow": Unary(slow.handle)}) as wire, wire.peer() as peer:
        running = peer.connection.call("/s/Slow", b"")
        peer.send()
        await slow.begun.wait()
        stopped = asyncio.create_task(wire.transport.stop(10.0))
        await asyncio.sleep(0)
        late = peer.connection.call("/s/Echo", b"under way")
        assert (await peer.outcome(late)).message == b"under way"
        slow.go_on.set()
        assert (await peer.outcome(running)).message == b"done"
        await stopped


async def test_call_that_outlives_the_grace_is_told_and_interrupted(serve: Any) -> None:
    slow = Slow()
    async with serve({"/s/Slow": Unary(slow.handle)}) as wire, wire.peer() as peer:
        call = peer.connection.call("/s/Slow", b"")
        peer.send()
        await slow.begun.wait()
        stopped = asyncio.create_task(wire.transport.stop(0.05))
        outcome = await peer.outcome(call)
        assert (outcome.code, outcome.status_message) == (Code.UNAVAILABLE, str(Stopping()))
        await peer.until_closed()
        await stopped
        assert not wire.transport._turns.tasks


async def test_idle_connection_does_not_hold_the_stop(serve: Any) -> None:
    async with serve(ECHO) as wire, wire.peer() as peer:
        assert (await peer.unary("/s/Echo")).code == 0
        async with asyncio.timeout(5):
            stopped = asyncio.create_task(wire.transport.stop(60.0))
            await peer.until_closed()
            await stopped


async def test_stopping_again_does_nothing_and_socket_files_are_gone(serve: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="s") as name:
        path = Path(name, "s")
        async with serve(ECHO, path) as wire:
            assert path.is_socket()
            await wire.transport.stop(1.0)
            assert not path.exists()
            path.write_text("somebody else's")
            await wire.transport.stop(0)
            assert path.exists()
