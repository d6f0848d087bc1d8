"""Unary calls over the native wire: answered at once or later, late, given up, refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from decision_sidecar_native import Outcome
from structlog.testing import capture_logs

from sidecar.errors import OutboxFull, RequestMalformed
from sidecar.rpc.methods import Call, Code, MethodTable, Unary

ECHO = "/s/Echo"


def said(outcome: Outcome) -> tuple[int, str]:
    return outcome.code, outcome.status_message


class Waiting:
    """A handler that waits until it is told, and says how it ended."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.runs, self.cancelled = 0, asyncio.Event()

    async def handle(self, request: bytes, call: Call) -> bytes:
        self.runs += 1
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            assert call.cancelled()
            raise
        return request + b" at last"


def table(**handlers: Any) -> MethodTable:
    return {f"/s/{name}": Unary(handler) for name, handler in handlers.items()}


ECHOED = table(Echo=lambda request, call: request)


async def test_bytes_are_answered(serve: Any) -> None:
    async with serve(ECHOED) as wire, wire.peer() as peer:
        outcome = await peer.unary(ECHO, b"hello")
        assert (outcome.code, outcome.message) == (0, b"hello")


async def test_awaitable_is_awaited_while_others_are_answered(serve: Any) -> None:
    waiting = Waiting()
    async with serve({**ECHOED, **table(Wait=waiting.handle)}) as wire, wire.peer() as peer:
        call = peer.connection.call("/s/Wait", b"slow")
        peer.send()
        await waiting.begun.wait()
        assert (await peer.unary(ECHO, b"fast")).message == b"fast"
        waiting.go_on.set()
        assert (await peer.outcome(call)).message == b"slow at last"


async def test_handler_sees_header_peer_and_deadline(serve: Any) -> None:
    seen: list[Any] = []

    def look(request: bytes, call: Call) -> bytes:
        seen.extend((call.header("x-key"), call.header("x-none"), call.peer, call.time_remaining_s(), call.cancelled()))
        return b""

    async with serve(table(Look=look)) as wire, wire.peer() as peer:
        await peer.outcome(peer.connection.call("/s/Look", b"", (("x-key", "value"),), 60.0))
        port = peer.writer.get_extra_info("sockname")[1]
    assert seen[:3] == ["value", None, f"ipv4:127.0.0.1:{port}"]
    assert 0 < seen[3] <= 60
    assert seen[4] is False


async def test_error_of_a_handler_is_its_status(serve: Any) -> None:
    def full(request: bytes, call: Call) -> bytes:
        raise OutboxFull(limit_bytes=7, retry_after_s=2)

    async def malformed(request: bytes, call: Call) -> bytes:
        raise RequestMalformed("no message")

    async with serve(table(Full=full, Malformed=malformed)) as wire, wire.peer() as peer:
        assert (await peer.unary("/s/Full")).code == Code.RESOURCE_EXHAUSTED
        outcome = await peer.unary("/s/Malformed")
        assert said(outcome) == (Code.INVALID_ARGUMENT, "no message")
        assert b"MALFORMED" in outcome.details
        assert [(name, refusal.code) for name, refusal in wire.refused] == [
            ("/s/Full", Code.RESOURCE_EXHAUSTED),
            ("/s/Malformed", Code.INVALID_ARGUMENT),
        ]


@pytest.mark.parametrize("waits", [False, True])
async def test_unknown_error_is_internal_and_logged(serve: Any, waits: bool) -> None:
    def at_once(request: bytes, call: Call) -> bytes:
        raise ZeroDivisionError("secret")

    async def later(request: bytes, call: Call) -> bytes:
        await asyncio.sleep(0)
        return at_once(request, call)

    with capture_logs() as logs:
        async with serve(table(Break=later if waits else at_once)) as wire, wire.peer() as peer:
            outcome = await peer.unary("/s/Break")
    assert outcome.code == Code.INTERNAL
    assert "secret" not in outcome.status_message
    assert [log["event"] for log in logs] == ["handler_failed"]


async def test_unknown_method_is_unimplemented(serve: Any) -> None:
    async with serve(ECHOED) as wire, wire.peer() as peer:
        assert (await peer.unary("/s/None")).code == Code.UNIMPLEMENTED


async def test_call_that_waits_is_ended_at_its_deadline(serve: Any) -> None:
    waiting = Waiting()
    async with serve(table(Wait=waiting.handle)) as wire, wire.peer() as peer:
        outcome = await peer.outcome(peer.connection.call("/s/Wait", b"", (), 0.05))
        assert said(outcome) == (Code.DEADLINE_EXCEEDED, "the deadline passed before the answer")
        await waiting.cancelled.wait()
        assert [refusal.code for _, refusal in wire.refused] == [Code.DEADLINE_EXCEEDED]


async def test_call_whose_deadline_has_passed_is_not_run(serve: Any) -> None:
    runs: list[bytes] = []

    def handle(request: bytes, call: Call) -> bytes:
        runs.append(request)
        return request

    async with serve(table(Run=handle)) as wire, wire.peer() as peer:
        outcome = await peer.outcome(peer.connection.call("/s/Run", b"", (), 0.0))
        assert outcome.code == Code.DEADLINE_EXCEEDED
        assert not runs


async def test_call_that_is_given_up_interrupts_its_handler(serve: Any) -> None:
    waiting = Waiting()
    async with serve({**ECHOED, **table(Wait=waiting.handle)}) as wire, wire.peer() as peer:
        call = peer.connection.call("/s/Wait", b"")
        peer.send()
        await waiting.begun.wait()
        peer.connection.cancel(call)
        peer.send()
        await waiting.cancelled.wait()
        assert (await peer.unary(ECHO, b"x")).message == b"x"
        assert not wire.refused


async def test_call_that_is_given_up_with_its_first_bytes_is_not_run(serve: Any) -> None:
    runs: list[bytes] = []

    def handle(request: bytes, call: Call) -> bytes:
        runs.append(request)
        return request

    async with serve({**ECHOED, **table(Run=handle)}) as wire, wire.peer() as peer:
        await peer.unary(ECHO)
        call = peer.connection.call("/s/Run", b"given up")
        first = peer.connection.take_output()
        peer.connection.cancel(call)
        peer.writer.write(first + peer.connection.take_output())
        assert (await peer.unary("/s/Run", b"wanted")).message == b"wanted"
        assert runs == [b"wanted"]


async def test_lost_connection_interrupts_its_calls(serve: Any) -> None:
    waiting = Waiting()
    async with serve(table(Wait=waiting.handle)) as wire:
        async with wire.peer() as peer:
            peer.connection.call("/s/Wait", b"")
            peer.send()
            await waiting.begun.wait()
        await waiting.cancelled.wait()
