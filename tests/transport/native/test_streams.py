"""Streams over the native wire: in order, bounded in memory both ways, one slow one bothers no other call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sidecar.errors import RequestMalformed, Stopping
from sidecar.rpc.gate import Gate
from sidecar.rpc.methods import Bidirectional, Call, Code, MethodTable, ServerStream, Unary
from sidecar.telemetry import Telemetry

ECHO = {"/s/Echo": Unary(lambda request, call: request)}
CHUNK = bytes(200_000)


class Chunks:
    """A stream without end of large replies; counts how many it was asked for."""

    def __init__(self) -> None:
        self.made, self.ended = 0, asyncio.Event()

    async def replies(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        try:
            while True:
                self.made += 1
                yield CHUNK
        finally:
            self.ended.set()


async def doubled(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request + request
    yield b"end"


BOTH_WAYS: MethodTable = {**ECHO, "/s/Doubled": Bidirectional(doubled)}


async def test_replies_come_in_order_and_then_the_status(serve: Any) -> None:
    async def count(request: bytes, call: Call) -> AsyncIterator[bytes]:
        for number in range(500):
            yield b"%d" % number

    async with serve({"/s/Count": ServerStream(count)}) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Count")
        peer.connection.send(call, b"")
        peer.connection.half_close(call)
        assert (await peer.outcome(call)).code == 0
        assert peer.replies[call] == [b"%d" % number for number in range(500)]


async def test_messages_go_both_ways_before_the_end(serve: Any) -> None:
    async with serve(BOTH_WAYS) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Doubled")
        for number in range(3):
            peer.connection.send(call, b"%d" % number)
            await peer.until(lambda peer, wanted=number + 1: len(peer.replies.get(call, [])) == wanted)
        peer.connection.half_close(call)
        await peer.outcome(call)
        assert peer.replies[call] == [b"00", b"11", b"22", b"end"]


async def test_messages_that_came_together_are_all_answered(serve: Any) -> None:
    async with serve(BOTH_WAYS) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Doubled")
        for number in range(300):
            peer.connection.send(call, b"%d" % number)
        peer.connection.half_close(call)
        await peer.outcome(call)
        assert peer.replies[call] == [b"%d" % number * 2 for number in range(300)] + [b"end"]


async def test_reader_that_takes_nothing_stops_its_stream_alone(serve: Any) -> None:
    chunks = Chunks()
    async with serve({**ECHO, "/s/Chunks": ServerStream(chunks.replies)}) as wire, wire.peer() as peer:
        peer.takes = False
        call = peer.connection.open("/s/Chunks")
        peer.connection.send(call, b"")
        peer.connection.half_close(call)
        made = -1
        while made != chunks.made:
            made = chunks.made
            for _ in range(20):
                assert (await peer.unary("/s/Echo", b"x")).message == b"x"
        # The peer's window, the codec's high mark, and the message that reached it.
        assert made * len(CHUNK) <= 4 * 2**20 + 2**16 + 2**20 + 2 * len(CHUNK)
        for reply in peer.replies[call]:
            peer.connection.consumed(call, len(reply))
        await peer.until(lambda peer: chunks.made > made)
        peer.connection.cancel(call)
        peer.send()
        await chunks.ended.wait()


async def test_sender_may_send_no_more_than_its_handler_takes(serve: Any) -> None:
    take, taken = asyncio.Event(), []

    async def slow(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        await take.wait()
        taken.extend([len(request) async for request in requests])
        yield b"done"

    async with serve({**ECHO, "/s/Slow": Bidirectional(slow)}) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Slow")
        sent = 0
        while peer.connection.send(call, CHUNK):
            sent += 1
            await peer.unary("/s/Echo")
        assert sent * len(CHUNK) <= 4 * 2**20 + 2**16 + 2**20 + len(CHUNK), "a window, and what the peer keeps itself"
        peer.connection.half_close(call)
        take.set()
        await peer.outcome(call)
        assert taken == [len(CHUNK)] * (sent + 1)


async def test_error_after_replies_is_the_status_behind_them(serve: Any) -> None:
    async def breaks(request: bytes, call: Call) -> AsyncIterator[bytes]:
        yield b"one"
        raise RequestMalformed("no more")

    async with serve({"/s/Breaks": ServerStream(breaks)}) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Breaks")
        peer.connection.send(call, b"")
        peer.connection.half_close(call)
        outcome = await peer.outcome(call)
        assert (outcome.code, outcome.status_message) == (Code.INVALID_ARGUMENT, "no more")
        assert peer.replies[call] == [b"one"]


async def test_stream_is_ended_at_its_deadline(serve: Any) -> None:
    ended = asyncio.Event()

    async def silent(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        try:
            async for _ in requests:
                yield b""
        finally:
            ended.set()

    async with serve({"/s/Silent": Bidirectional(silent)}) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Silent", (), 0.05)
        assert (await peer.outcome(call)).code == Code.DEADLINE_EXCEEDED
        await ended.wait()


async def test_stream_that_waits_is_told_when_the_gate_shuts(serve: Any) -> None:
    gate = Gate(Telemetry())
    async with serve(gate.guard(BOTH_WAYS)) as wire, wire.peer() as peer:
        call = peer.connection.open("/s/Doubled")
        peer.connection.send(call, b"x")
        await peer.until(lambda peer: bool(peer.replies))
        gate.close()
        outcome = await peer.outcome(call)
        assert (outcome.code, outcome.status_message) == (Code.UNAVAILABLE, str(Stopping()))


async def test_handler_of_a_stream_is_closed_when_its_reader_leaves_while_it_sends(serve: Any) -> None:
    chunks = Chunks()
    async with serve({"/s/Chunks": ServerStream(chunks.replies)}) as wire:
        async with wire.peer() as peer:
            peer.takes = False
            call = peer.connection.open("/s/Chunks")
            peer.connection.send(call, b"")
            peer.connection.half_close(call)
            await peer.until(lambda peer: len(peer.replies.get(call, [])) > 3)
        await chunks.ended.wait()
