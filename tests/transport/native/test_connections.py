"""Connections of the native wire: writes are few, a broken one bothers no other, there are not too many."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from decision_sidecar_native import FINISHED, ClientConnection, Limits
from structlog.testing import capture_logs

from sidecar import limits
from sidecar.rpc.methods import Call, Unary
from sidecar.transport.native.connection import WRITE_BYTES, Connection

ECHO = {"/s/Echo": Unary(lambda request, call: request)}


class Socket(asyncio.Transport):
    """A transport that keeps what is written, write by write, and does nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.reading, self.aborted = True, False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.aborted = True


class Wired:
    """A connection of a transport that is not listening, and its peer's side of the codec."""

    def __init__(self, wire: Any) -> None:
        self.socket = Socket()
        self.connection = Connection(wire.transport._shared)
        self.connection.connection_made(self.socket)
        self.client = ClientConnection(
            scheme="http", authority="localhost", user_agent="test", limits=Limits(), now_s=0.0
        )

    def deliver(self) -> None:
        """What the client has to say arrives, in one read."""
        self.connection.data_received(self.client.take_output())

    async def greeted(self) -> None:
        """Both sides have said how they want to be spoken to."""
        self.deliver()
        for write in await self.settled():
            self.client.receive(write, 0.0)
        self.deliver()
        await self.settled()

    async def settled(self) -> list[bytes]:
        """The writes that were made in the turns since."""
        for _ in range(3):
            await asyncio.sleep(0)
        writes, self.socket.writes = self.socket.writes, []
        return writes

    def answers(self, write: bytes) -> dict[int, bytes | None]:
        """The replies in a write, by call."""
        return {event[1]: event[2].message for event in self.client.receive(write, 0.0) if event[0] == FINISHED}

    def reads(self) -> bool:
        """Whether the connection reads from its socket."""
        return self.socket.reading

    def close(self) -> None:
        self.connection.connection_lost(None)


async def test_calls_of_one_turn_are_answered_in_one_write(serve: Any) -> None:
    async with serve(ECHO) as wire:
        one = Wired(wire)
        await one.greeted()
        calls = [one.client.call("/s/Echo", b"%d" % number) for number in range(40)]
        one.deliver()
        writes = await one.settled()
        assert len(writes) == 1
        assert one.answers(writes[0]) == {call: b"%d" % number for number, call in enumerate(calls)}
        one.close()


async def test_calls_that_end_together_later_are_answered_in_one_write(serve: Any) -> None:
    committed = asyncio.Event()

    async def commit(request: bytes, call: Call) -> bytes:
        await committed.wait()
        return request

    async with serve({"/s/Commit": Unary(commit)}) as wire:
        one = Wired(wire)
        await one.greeted()
        for number in range(40):
            one.client.call("/s/Commit", b"%d" % number)
        one.deliver()
        await one.settled()
        committed.set()
        writes = await one.settled()
        assert len(writes) == 1
        assert len(one.answers(writes[0])) == 40
        one.close()


async def test_reads_of_a_peer_that_does_not_read_are_stopped_until_it_does(serve: Any) -> None:
    async with serve(ECHO) as wire:
        one = Wired(wire)
        await one.greeted()
        one.connection.pause_writing()
        assert not one.reads()
        one.client.call("/s/Echo", b"x")
        one.deliver()
        assert await one.settled() == []
        one.connection.resume_writing()
        assert one.reads()
        assert len(await one.settled()) == 1
        one.close()


@pytest.mark.parametrize("half_closed", [False, True])
async def test_what_a_peer_does_not_take_stays_in_the_codec_and_follows_when_it_does(
    serve: Any, half_closed: bool
) -> None:
    reply = bytes(1 << 20)
    async with serve({"/s/Large": Unary(lambda request, call: reply)}) as wire:
        one = Wired(wire)
        await one.greeted()
        taken, write = 0, one.socket.write

        def full_after_the_second(data: Any) -> None:
            nonlocal taken
            taken += 1
            write(data)
            if taken % 2 == 0:
                one.connection.pause_writing()

        one.socket.write = full_after_the_second  # type: ignore[method-assign]  # the fake's socket fills up
        call = one.client.call("/s/Large", b"")
        one.deliver()
        if half_closed:
            one.connection.eof_received()
        writes = await one.settled()
        assert (len(writes), one.reads()) == (2, False)
        assert all(WRITE_BYTES <= len(data) < WRITE_BYTES + 20_000 for data in writes)
        assert wire.transport._shared.budget.bytes_held > 800_000
        assert not one.socket.aborted, "what is left is still to be written"
        replies: dict[int, bytes | None] = {}
        while writes:
            for data in writes:
                replies |= one.answers(data)
            if not half_closed:
                one.deliver()
            one.connection.resume_writing()
            writes = await one.settled()
        assert replies == {call: reply}
        assert (one.socket.aborted, wire.transport._shared.budget.bytes_held) == (half_closed, 0)
        one.close()


async def test_garbage_ends_its_connection_alone_and_is_said_once_a_second(serve: Any) -> None:
    with capture_logs() as logs:
        async with serve(ECHO) as wire, wire.peer() as good:
            for _ in range(3):
                async with wire.peer() as bad:
                    bad.connection.take_output()
                    bad.writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    await bad.until_closed()
            assert (await good.unary("/s/Echo", b"x")).message == b"x"
    cut = [log for log in logs if log["event"] == "connection_cut"]
    assert len(cut) == 1
    assert cut[0]["peer"].startswith("ipv4:127.0.0.1:")


class Panic(BaseException):
    """As pyo3's, which is no Exception."""


@pytest.mark.parametrize("where", ["_receive", "_take_output"])
async def test_panic_of_the_codec_ends_its_connection_alone(serve: Any, where: str) -> None:
    def panics(*_: object) -> Any:
        raise Panic("a fault")

    with capture_logs() as logs:
        async with serve(ECHO) as wire, wire.peer() as good, wire.peer() as bad:
            assert (await bad.unary("/s/Echo")).code == 0
            assert (await good.unary("/s/Echo")).code == 0
            port = bad.writer.get_extra_info("sockname")[1]
            mine = [one for one in wire.transport._connections if one.peer.endswith(f":{port}")]
            setattr(mine[0], where, panics)
            bad.connection.call("/s/Echo", b"")
            bad.send()
            await bad.until_closed()
            assert (await good.unary("/s/Echo", b"x")).message == b"x"
    assert [log["cause"] for log in logs] == ["failed inside the sidecar: Panic('a fault')"]


async def test_one_connection_too_many_is_closed_and_said_once(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 2)
    with capture_logs() as logs:
        async with serve(ECHO) as wire, wire.peer() as one:
            async with wire.peer() as other:
                assert (await one.unary("/s/Echo")).code == 0
                assert (await other.unary("/s/Echo")).code == 0
                for _ in range(2):
                    async with wire.peer() as third:
                        third.send()
                        await third.until_closed()
            await asyncio.sleep(0.01)
            async with wire.peer() as third:
                assert (await third.unary("/s/Echo")).code == 0
    assert [(log["event"], log["connections"]) for log in logs] == [("connections_full", 2)]


async def test_peer_that_sends_no_more_is_answered_and_closed(serve: Any) -> None:
    async with serve(ECHO) as wire, wire.peer() as peer:
        call = peer.connection.call("/s/Echo", b"last")
        peer.end()
        await peer.until_closed()
        assert peer.outcomes[call].message == b"last"


async def test_peer_that_reads_nothing_holds_bounded_memory_and_nobody_else_up(serve: Any) -> None:
    reply, runs = bytes(2**20), 0

    def large(request: bytes, call: Call) -> bytes:
        nonlocal runs
        runs += 1
        return reply

    async with serve({**ECHO, "/s/Large": Unary(large)}) as wire, wire.peer() as good, wire.peer() as deaf:
        deaf.connection.receive(await deaf.reader.read(65_536), 0.0)
        before = -1
        while before != runs:
            before = runs
            for _ in range(4):
                deaf.connection.call("/s/Large", b"")
            deaf.send()
            for _ in range(20):
                assert (await good.unary("/s/Echo", b"x")).message == b"x"
        assert wire.transport._shared.budget.bytes_held <= limits.WIRE_BYTES_MAX
        assert (await good.unary("/s/Large")).message == reply
