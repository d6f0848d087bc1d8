"""`DecideStream` through a running server: order, errors within the stream, back-pressure, life of the stream."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from sidecar import limits
from sidecar.events.model import Impression
from sidecar.pb import decision_pb2
from sidecar.rpc.methods import Bidirectional, Refusal
from tests.decision.building import document
from tests.rpc.test_decision import ALL_FLAGS, ScriptedCall, keys, option
from tests.support.refusals import said
from tests.support.served import Served, decide_request, serving

pytestmark = pytest.mark.usefixtures("wire")

STREAM = "/sidecar.v1.DecisionService/DecideStream"
MIB = 1024 * 1024


def message(**fields: Any) -> bytes:
    return decision_pb2.DecideStreamRequest(decide=decide_request(**fields)).SerializeToString()


def opened(served: Served, **more: Any) -> Any:
    """A stream of bytes to the server."""
    call: Any = served.channel.stream_stream(STREAM)
    return call(timeout=30, **more)


async def answer(stream: Any) -> decision_pb2.DecideStreamResponse:
    return decision_pb2.DecideStreamResponse.FromString(await stream.read())


def handled(served: Served, requests: AsyncIterator[bytes], call: ScriptedCall) -> Any:
    """The replies of the handler itself, without a transport in between."""
    method: Any = served.parts.table[STREAM]
    assert isinstance(method, Bidirectional)
    call_: Any = call
    return method.handler(requests, call_)


class Requests:
    """Messages that count how many of them were taken."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = list(bodies)
        self.taken = 0

    def __aiter__(self) -> Requests:
        return self

    async def __anext__(self) -> bytes:
        if self.taken == len(self._bodies):
            raise StopAsyncIteration
        self.taken += 1
        return self._bodies[self.taken - 1]


async def test_a_thousand_messages_are_answered_in_order_with_errors_in_between(served: Served) -> None:
    stream = opened(served)

    async def write() -> None:
        for n in range(1_000):
            bad = n % 7 == 3
            user_id = "" if bad else f"u{n}"
            await stream.write(message(user_id=user_id, decision_id=f"d{n}", flag_keys=["free_shipping"]))
        await stream.done_writing()

    writing = asyncio.create_task(write())
    replies = [await answer(stream) for _ in range(1_000)]
    await writing
    assert await stream.read() is grpc.aio.EOF
    for n, reply in enumerate(replies):
        if n % 7 == 3:
            assert said(reply.error).fields == ["user_id"]
        else:
            assert reply.decided.decision_id == f"d{n}"
    made = [event.decision_id for event in await served.events() if isinstance(event, Impression)]
    assert made == [f"d{n}" for n in range(1_000) if n % 7 != 3]


async def test_a_stream_answers_what_decide_answers(served: Served) -> None:
    stream = opened(served)
    for fields in ({}, {"flag_keys": ALL_FLAGS[:2]}, {"options": option("INCLUDE_REASONS", "EXCLUDE_VARIABLES")}):
        await stream.write(message(**fields, decision_id="d"))
        assert (await answer(stream)).decided == await served.decide(**fields, decision_id="d")
    stream.cancel()


@pytest.mark.parametrize(
    ("body", "reason", "fields"),
    [
        (b"", "INVALID_ARGUMENT", ["user_id"]),
        (b"\x0a\x00", "INVALID_ARGUMENT", ["user_id"]),
        (b"\x0a\x04\x0a\x02\xff\xfe", "MALFORMED", []),
        (b"\x0a\x02\x0a\x7f", "MALFORMED", []),
        (b"\x0a\x7f", "MALFORMED", []),
        (b"\xff\xff", "MALFORMED", []),
        (message(datafile="nope"), "DATAFILE_NOT_FOUND", []),
        (message(options=[99]), "INVALID_ARGUMENT", ["options[0]"]),
        (message(user_id="u" * (limits.MESSAGE_BYTES_MAX + 1)), "INVALID_ARGUMENT", ["request"]),
    ],
    ids=["absent", "empty", "text", "cut short", "outer cut short", "no message", "datafile", "option", "size"],
)
async def test_a_stream_survives_a_bad_request(served: Served, body: bytes, reason: str, fields: list[str]) -> None:
    stream = opened(served)
    for _ in range(2):
        await stream.write(body)
        refused = said((await answer(stream)).error)
        assert (refused.reason, refused.fields) == (reason, fields)
        await stream.write(message())
        assert keys((await answer(stream)).decided) == ALL_FLAGS
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK


async def test_a_message_in_two_parts_is_one_request(served: Served) -> None:
    stream = opened(served)
    await stream.write(message(user_id="u", flag_keys=ALL_FLAGS[:1]) + message(user_id="v", flag_keys=ALL_FLAGS[1:2]))
    assert keys((await answer(stream)).decided) == ALL_FLAGS[:2]
    stream.cancel()
    assert {event.origin.user_id for event in await served.events()} == {"v"}


async def test_a_fault_of_ours_is_answered_and_the_stream_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = opened(served)
    current = served.parts.datafiles.current
    monkeypatch.setattr(served.parts.datafiles, "current", lambda name: 1 // 0)
    await stream.write(message())
    assert said((await answer(stream)).error).code == "INTERNAL"
    monkeypatch.setattr(served.parts.datafiles, "current", current)
    await stream.write(message())
    assert (await answer(stream)).HasField("decided")
    stream.cancel()


async def test_each_message_sees_the_datafile_that_is_current_when_it_arrives(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps(document(revision="1")))
    async with serving(tmp_path, {"datafiles": {"default": {"path": str(path)}}}) as served:
        stream = opened(served)
        revisions = []
        for revision in ("1", "2", "3"):
            path.write_text(json.dumps(document(revision=revision)))
            await served.parts.datafiles.reload()
            await stream.write(message())
            revisions.append((await answer(stream)).decided.revision)
        stream.cancel()
    assert revisions == ["1", "2", "3"]


async def test_a_client_that_half_closes_gets_every_answer(served: Served) -> None:
    stream = opened(served)
    for n in range(50):
        await stream.write(message(decision_id=f"d{n}"))
    await stream.done_writing()
    ids = [decision_pb2.DecideStreamResponse.FromString(body).decided.decision_id async for body in stream]
    assert ids == [f"d{n}" for n in range(50)]
    assert await stream.code() is grpc.StatusCode.OK


async def test_answers_that_wait_for_profiles_come_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path, {"profiles": {"store": "memory"}}) as served:
        stream = opened(served)
        for n in range(100):
            # Every other one asks for no profile, and could be answered sooner than the one before it.
            options = option("IGNORE_USER_PROFILE_SERVICE") if n % 2 else []
            await stream.write(message(user_id=f"u{n % 7}", decision_id=f"d{n}", options=options))
        await stream.done_writing()
        ids = [decision_pb2.DecideStreamResponse.FromString(body).decided.decision_id async for body in stream]
        assert await stream.code() is grpc.StatusCode.OK
    assert ids == [f"d{n}" for n in range(100)]


async def test_a_stream_without_a_message_ends_well(served: Served) -> None:
    stream = opened(served)
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK


async def test_a_request_is_taken_only_when_the_reply_before_it_was(served: Served) -> None:
    requests = Requests(*(message(decision_id=f"d{n}") for n in range(5)))
    replies = handled(served, requests, ScriptedCall())
    for taken in range(1, 6):
        await anext(replies)
        assert requests.taken == taken
    with pytest.raises(StopAsyncIteration):
        await anext(replies)


async def test_a_client_that_does_not_read_is_not_answered_without_bound(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All flags with their reasons: some 10 KiB each, of which the windows of HTTP/2 hold a few hundred at most."""
    stream = opened(served)
    size = len((await served.decide(options=option("INCLUDE_REASONS"))).SerializeToString())
    wanted = 64 * MIB // size
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    written = 0

    async def write() -> None:
        nonlocal written
        for _ in range(wanted):
            await stream.write(message(options=option("INCLUDE_REASONS", "DISABLE_DECISION_EVENT")))
            written += 1

    calls = served.parts.datafiles.current
    decided = 0

    def counted(name: str = "") -> Any:
        nonlocal decided
        decided += 1
        return calls(name)

    monkeypatch.setattr(served.parts.datafiles, "current", counted)
    writing = asyncio.create_task(write())
    seen = -1
    while decided != seen:
        seen = decided
        await asyncio.wait((writing,), timeout=1.0)
    assert 0 < decided < wanted // 4, f"{decided} of {wanted} were answered, {written} written"
    # The client, and the process of this test, hold what is under way; 64 MiB of replies were asked for.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 * 1024
    writing.cancel()
    stream.cancel()
    assert len((await served.decide()).decisions) == 5


async def test_a_cancelled_stream_decides_nothing_more(served: Served) -> None:
    stream = opened(served)
    await stream.write(message(decision_id="d", flag_keys=["free_shipping"]))
    await answer(stream)
    stream.cancel()
    assert (await served.decide(flag_keys=["free_shipping"], decision_id="e")).decision_id == "e"
    assert [event.decision_id for event in await served.events() if isinstance(event, Impression)] == ["d", "e"]


@pytest.mark.parametrize(
    ("call", "code"),
    [(ScriptedCall(remaining_s=-0.1), "DEADLINE_EXCEEDED"), (ScriptedCall(cancelled=True), "CANCELLED")],
)
async def test_a_stream_that_nobody_waits_for_ends(served: Served, call: ScriptedCall, code: str) -> None:
    requests = Requests(message(), message())
    with pytest.raises(Refusal) as refused:
        await anext(handled(served, requests, call))
    assert refused.value.code.name == code
    assert requests.taken == 1
    assert await served.events() == []


async def test_a_stream_is_told_that_the_server_stops(served: Served) -> None:
    stream = opened(served)
    await stream.write(message())
    await answer(stream)
    served.parts.gate.close()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    assert said(ended.value).reason == "STOPPING"
