"""Streams with one reply for each request, over the native wire: in order whatever waits, bounded, ended as others."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from decision_sidecar_native import MESSAGES, Budget, ClientConnection, Limits, Methods, ServerConnection

from sidecar import limits
from sidecar.errors import RequestMalformed, Stopping
from sidecar.rpc.gate import Gate
from sidecar.rpc.methods import Call, Code, MethodTable, Unary
from sidecar.rpc.streams import one_by_one
from sidecar.telemetry import Telemetry
from sidecar.transport.native.one_by_one import REPLIES_PER_TURN, OneByOne

CHUNK = bytes(200_000)
WINDOW_BYTES = 4 * 2**20 + 2**16
HIGH_BYTES = 2**20


class Answers:
    """Echoes; a message that begins with `wait` is answered once it is `let`. Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.interrupted = asyncio.Event()
        self._let = asyncio.Event()

    def __call__(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        self.asked.append(request)
        return self._later(request) if request.startswith(b"wait") else request

    def let(self) -> None:
        """Answer what waits, now and from now on."""
        self._let.set()

    async def _later(self, request: bytes) -> bytes:
        try:
            await self._let.wait()
        except asyncio.CancelledError:
            self.interrupted.set()
            raise
        return request


def table(answer: Callable[[bytes, Call], bytes | Awaitable[bytes]]) -> MethodTable:
    return {"/s/Echo": Unary(lambda request, call: request), "/s/Each": one_by_one(answer)}


def sent(peer: Any, *messages: bytes, timeout_s: float | None = None) -> int:
    """A stream with its first messages, which are not written yet."""
    call: int = peer.connection.open("/s/Each", (), timeout_s)
    for message in messages:
        peer.connection.send(call, message)
    return call


async def test_every_message_is_answered_in_order_and_then_the_stream_ends(serve: Any) -> None:
    answers = Answers()
    numbers = [b"%d" % number for number in range(5 * REPLIES_PER_TURN)]
    async with serve(table(answers)) as wire, wire.peer() as peer:
        call = sent(peer, *numbers)
        peer.connection.half_close(call)
        assert (await peer.outcome(call)).code == 0
        assert peer.replies[call] == answers.asked == numbers


async def test_a_stream_without_a_message_ends_well(serve: Any) -> None:
    async with serve(table(Answers())) as wire, wire.peer() as peer:
        call = sent(peer)
        peer.connection.half_close(call)
        assert (await peer.outcome(call)).code == 0


async def test_a_message_is_not_looked_at_before_the_one_before_it_is_answered(serve: Any) -> None:
    answers = Answers()
    async with serve(table(answers)) as wire, wire.peer() as peer:
        call = sent(peer, b"1", b"wait 2", b"3", b"wait 4", b"5")
        peer.connection.half_close(call)
        await peer.until(lambda peer: peer.replies.get(call) == [b"1"])
        assert (await peer.unary("/s/Echo", b"x")).message == b"x"
        assert answers.asked == [b"1", b"wait 2"]
        answers.let()
        assert (await peer.outcome(call)).code == 0
        assert peer.replies[call] == answers.asked == [b"1", b"wait 2", b"3", b"wait 4", b"5"]


async def test_a_reader_that_takes_nothing_stops_its_own_stream_alone(serve: Any) -> None:
    made = 0

    def large(request: bytes, call: Call) -> bytes:
        nonlocal made
        made += 1
        return CHUNK

    async with serve(table(large)) as wire, wire.peer() as peer:
        peer.takes = False
        call = sent(peer, *[b"x"] * 100)
        seen = -1
        while seen != made:
            seen = made
            for _ in range(20):
                assert (await peer.unary("/s/Echo", b"x")).message == b"x"
        # The peer's window, the codec's high mark, and the reply that reached it.
        assert made * len(CHUNK) <= WINDOW_BYTES + HIGH_BYTES + 2 * len(CHUNK)
        peer.takes = True
        for reply in peer.replies[call]:
            peer.connection.consumed(call, len(reply))
        peer.connection.half_close(call)
        assert (await peer.outcome(call)).code == 0
        assert len(peer.replies[call]) == made == 100


async def test_a_reply_that_has_no_place_is_the_last(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WIRE_BYTES_MAX", len(CHUNK))
    made = 0

    def large(request: bytes, call: Call) -> bytes:
        nonlocal made
        made += 1
        return CHUNK

    async with serve(table(large)) as wire, wire.peer() as peer:
        assert (await peer.outcome(sent(peer, *[b"x"] * 10))).code == Code.RESOURCE_EXHAUSTED
        assert (await peer.unary("/s/Echo", b"x")).message == b"x"
        assert made == 1


async def test_a_sender_may_send_no_more_than_is_answered(serve: Any) -> None:
    answers = Answers()
    async with serve(table(answers)) as wire, wire.peer() as peer:
        call = sent(peer, b"wait")
        count = 0
        while peer.connection.send(call, CHUNK):
            count += 1
            await peer.unary("/s/Echo")
        assert count * len(CHUNK) <= WINDOW_BYTES + HIGH_BYTES + len(CHUNK), "a window, and what the peer keeps itself"
        peer.connection.half_close(call)
        answers.let()
        assert (await peer.outcome(call)).code == 0
        assert len(peer.replies[call]) == count + 2


async def test_a_stream_has_its_share_of_a_turn_and_no_more(serve: Any) -> None:
    answers = Answers()
    answered = []

    def other(request: bytes, call: Call) -> bytes:
        answered.append(len(answers.asked))
        return request

    async with serve({**table(answers), "/s/Other": Unary(other)}) as wire, wire.peer() as peer:
        call = sent(peer, *[b"x"] * 1_000)
        peer.connection.half_close(call)
        await peer.unary("/s/Other")
        assert answered[0] < 500, "a call that came behind a thousand messages waited for most of them"
        assert (await peer.outcome(call)).code == 0
        assert len(peer.replies[call]) == 1_000


async def test_what_is_raised_ends_the_stream_behind_the_replies_before_it(serve: Any) -> None:
    answers = Answers()

    async def late(request: bytes) -> bytes:
        raise RequestMalformed("too late")

    def breaks(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        if request == b"bad":
            raise RequestMalformed("no more")
        return late(request) if request == b"late" else answers(request, call)

    async with serve(table(breaks)) as wire, wire.peer() as peer:
        for bad, message in ((b"bad", "no more"), (b"late", "too late")):
            call = sent(peer, b"1", b"2", bad, b"3")
            outcome = await peer.outcome(call)
            assert (outcome.code, outcome.status_message) == (Code.INVALID_ARGUMENT, message)
            assert peer.replies[call] == [b"1", b"2"]
        assert b"3" not in answers.asked
        assert [name for name, _ in wire.refused] == ["/s/Each"] * 2


async def test_a_stream_is_ended_at_its_deadline_whether_or_not_it_waits(serve: Any) -> None:
    answers = Answers()
    async with serve(table(answers)) as wire, wire.peer() as peer:
        idle, waiting = sent(peer, timeout_s=0.05), sent(peer, b"wait", timeout_s=0.05)
        assert (await peer.outcome(idle)).code == Code.DEADLINE_EXCEEDED
        assert (await peer.outcome(waiting)).code == Code.DEADLINE_EXCEEDED
        await answers.interrupted.wait()


async def test_a_message_that_comes_with_a_deadline_that_has_passed_is_not_answered(serve: Any) -> None:
    answers = Answers()
    async with serve(table(answers)) as wire, wire.peer() as peer:
        call = sent(peer, b"x", timeout_s=1e-9)
        assert (await peer.outcome(call)).code == Code.DEADLINE_EXCEEDED
        assert not answers.asked


async def test_a_stream_is_told_when_the_gate_shuts_whether_or_not_it_waits(serve: Any) -> None:
    gate, answers = Gate(Telemetry()), Answers()
    async with serve(gate.guard(table(answers))) as wire, wire.peer() as peer:
        idle, waiting = sent(peer, b"x"), sent(peer, b"wait", b"y")
        await peer.until(lambda peer: idle in peer.replies)
        gate.close()
        for call in (idle, waiting, sent(peer, b"too late")):
            outcome = await peer.outcome(call)
            assert (outcome.code, outcome.status_message) == (Code.UNAVAILABLE, str(Stopping()))
        await answers.interrupted.wait()
        assert answers.asked == [b"x", b"wait"]


async def test_a_stream_is_counted_and_admitted_once_when_it_opens(serve: Any) -> None:
    telemetry, answers = Telemetry(), Answers()
    tokens = iter(["token", None])
    gate = Gate(telemetry, lambda: next(tokens))
    async with serve(gate.guard(table(answers))) as wire, wire.peer() as peer:
        assert (await peer.outcome(sent(peer, b"x"))).code == Code.UNAUTHENTICATED
        assert not answers.asked
        call = sent(peer, b"1", b"2")
        peer.connection.half_close(call)
        assert (await peer.outcome(call)).code == 0
    assert telemetry.calls["/s/Each"] == 2


async def test_an_answer_that_waits_is_interrupted_when_its_reader_leaves(serve: Any) -> None:
    answers = Answers()
    async with serve(table(answers)) as wire:
        async with wire.peer() as peer:
            cancelled = sent(peer, b"wait", b"1")
            await peer.unary("/s/Echo")
            peer.connection.cancel(cancelled)
            peer.send()
            await answers.interrupted.wait()
            answers.interrupted.clear()
            sent(peer, b"wait", b"2")
            await peer.unary("/s/Echo")
        await answers.interrupted.wait()
        assert answers.asked == [b"wait", b"wait"]


async def test_a_reader_that_leaves_while_its_stream_waits_for_room_takes_it_along(serve: Any) -> None:
    gate = Gate(Telemetry())
    async with serve(gate.guard(table(lambda request, call: CHUNK))) as wire:
        async with wire.peer() as peer:
            peer.takes = False
            call = sent(peer, *[b"x"] * 100)
            await peer.until(lambda peer: len(peer.replies.get(call, [])) > 3)
        async with wire.peer() as peer:
            assert (await peer.unary("/s/Echo", b"x")).message == b"x"
    assert not gate._streams


async def test_a_stream_that_has_ended_is_freed_without_the_collector(serve: Any) -> None:
    answers = Answers()

    def breaks(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        if request == b"bad":
            raise RequestMalformed("no more")
        return answers(request, call)

    gc.collect()
    gc.disable()
    try:
        async with serve(table(breaks)) as wire, wire.peer() as peer:
            well, bad, late = sent(peer, b"1"), sent(peer, b"bad"), sent(peer, b"wait", timeout_s=0.05)
            peer.connection.half_close(well)
            assert [(await peer.outcome(call)).code for call in (well, bad, late)] == [
                Code.OK,
                Code.INVALID_ARGUMENT,
                Code.DEADLINE_EXCEEDED,
            ]
            await answers.interrupted.wait()
            await peer.unary("/s/Echo")
            assert not [each for each in gc.get_objects() if isinstance(each, OneByOne | RequestMalformed)]
    finally:
        gc.enable()


def test_messages_that_come_together_are_one_event_and_credited_as_one() -> None:
    budget = Budget(1_000_000)
    server = ServerConnection(Methods([("/s/Each", False, 1_000)]), Limits(), budget, 0.0)
    client = ClientConnection(scheme="http", authority="localhost", user_agent="test", limits=Limits(), now_s=0.0)
    one, two = client.open("/s/Each"), client.open("/s/Each")
    server.receive(client.take_output(), 0.0)
    for call, message in ((one, b"1"), (one, b"22"), (two, b"3")):
        client.send(call, message)
    events = server.receive(client.take_output(), 0.0)
    assert [event[1:] for event in events if event[0] == MESSAGES] == [(one, [b"1", b"22"]), (two, [b"3"])]
    held = budget.bytes_held
    server.consumed(one, 3, 2)
    server.consumed(two, 1)
    assert (held > 0, budget.bytes_held) == (True, 0)
