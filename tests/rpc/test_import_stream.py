"""`ImportStream` through a running server: acknowledgements in order, errors within the stream, its bounds, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest

from sidecar import limits
from sidecar.pb import tracking_pb2
from sidecar.rpc.methods import Bidirectional
from tests.rpc.histories import HOOK, NOT_TAKEN, OPTIMIZELY_HISTORY, STREAM, event, outcomes, tracks
from tests.rpc.test_decision import ScriptedCall
from tests.support.refusals import said
from tests.support.served import WEBHOOK, Served, serving

Response = tracking_pb2.ImportStreamResponse


def message(*events: tracking_pb2.ImportEvent, **fields: Any) -> bytes:
    return tracking_pb2.ImportStreamRequest(events=events, **fields).SerializeToString()


def opened(served: Served) -> Any:
    """A stream of bytes to the server."""
    call: Any = served.channel.stream_stream(STREAM)
    return call(timeout=30)


async def answer(stream: Any) -> Response:
    return Response.FromString(await stream.read())


async def taken(stream: Any, replies: list[bytes]) -> None:
    """Read until the stream ends, or fails."""
    async for reply in stream:
        replies.append(reply)  # noqa: PERF401 - what came before a failure is kept


async def everything(served: Served, *messages: bytes) -> list[Response]:
    """All responses to a stream of these messages, sent as fast as it goes."""
    stream = opened(served)
    for one in messages:
        await stream.write(one)
    await stream.done_writing()
    return [Response.FromString(reply) async for reply in stream]


def summary_of(responses: Iterable[Response]) -> tracking_pb2.ImportSummary:
    *others, last = responses
    assert last.HasField("summary")
    assert not any(one.HasField("summary") for one in others)
    return last.summary


async def test_messages_are_acknowledged_in_order_and_summed_up_last(served: Served) -> None:
    responses = await everything(
        served,
        *(message(*tracks(*(f"{n}-{place}" for place in range(n + 1)))) for n in range(20)),
        message(event("page")),
    )
    through = [one.accepted_through for one in responses]
    assert through == sorted(through)
    assert through[-1] == 211
    summary = summary_of(responses)
    assert (summary.accepted_events, summary.refused_events, summary.repeated_events) == (211, 0, 0)
    assert outcomes(summary.outcomes) == {OPTIMIZELY_HISTORY: 210, HOOK: 211, NOT_TAKEN: 1}
    assert len(await served.events()) == 211


async def test_a_message_is_acknowledged_before_the_next_is_sent(served: Served) -> None:
    stream = opened(served)
    for number in range(1, 4):
        await stream.write(message(*tracks(f"a-{number}", f"b-{number}")))
        assert (await answer(stream)).accepted_through == 2 * number
        assert len(await served.events()) == 2 * number
    await stream.done_writing()
    assert (await answer(stream)).summary.accepted_events == 6


async def test_a_bad_message_is_answered_in_its_place_and_the_stream_goes_on(served: Served) -> None:
    responses = await everything(
        served,
        message(*tracks("a", "b")),
        message(event(event_id="c"), event(user_id="")),
        message(*tracks("d")),
        b"\x0a\xff",
        message(event(), datafile="nope"),
        message(),
        message(*tracks("e")),
    )
    errors = [(one.accepted_through, said(one.error)) for one in responses if one.HasField("error")]
    assert [(through, one.reason, one.fields) for through, one in errors] == [
        (4, "INVALID_ARGUMENT", ["events[1].user_id"]),
        (5, "MALFORMED", []),
        (6, "DATAFILE_NOT_FOUND", []),
        (6, "INVALID_ARGUMENT", ["events"]),
    ]
    summary = summary_of(responses)
    assert (summary.accepted_events, summary.refused_events) == (4, 3)
    assert [one.origin.event_id for one in await served.events()] == ["a", "b", "d", "e"]


async def test_a_stream_without_a_message_has_a_summary_of_nothing(served: Served) -> None:
    (only,) = await everything(served)
    assert only.HasField("summary")
    assert only.accepted_through == only.summary.accepted_events == 0


async def test_repeats_are_recognised_over_messages_and_counted(served: Served) -> None:
    responses = await everything(served, message(*tracks("a", "b", "a")), message(*tracks("b", "c")))
    summary = summary_of(responses)
    assert (summary.accepted_events, summary.repeated_events) == (5, 2)
    assert outcomes(summary.outcomes)[HOOK] == 5
    assert [one.origin.event_id for one in await served.events()] == ["a", "b", "c"]


async def test_messages_that_wait_share_a_commit(served: Served) -> None:
    commits = served.parts.outbox.stats.commits
    responses = await everything(served, *(message(*tracks(f"e-{n}")) for n in range(200)))
    assert summary_of(responses).accepted_events == 200
    assert served.parts.outbox.stats.commits - commits < 200


async def test_a_full_outbox_ends_the_stream_and_nothing_behind_it_is_accepted(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(WEBHOOK)], "outbox": {"bytes_max": 3_000}}) as served:
        stream = opened(served)
        large = message(*tracks(*(f"l-{n}" for n in range(40))))
        for one in (message(*tracks("a")), message(*tracks("b")), large, message(*tracks("behind"))):
            await stream.write(one)
        replies: list[bytes] = []
        with pytest.raises(grpc.RpcError) as failed:
            await taken(stream, replies)
        refused = said(failed.value)
        assert (refused.code, refused.reason, refused.retry_s) == ("RESOURCE_EXHAUSTED", "OUTBOX_FULL", 2.0)
        assert Response.FromString(replies[-1]).accepted_through == 2
        assert [one.origin.event_id for one in await served.events()] == ["a", "b"]


async def test_stopping_ends_the_stream_by_name_and_what_was_acknowledged_stays(served: Served) -> None:
    stream = opened(served)
    await stream.write(message(*tracks("a")))
    assert (await answer(stream)).accepted_through == 1
    served.parts.gate.close()
    with pytest.raises(grpc.RpcError) as failed:
        await stream.read()
    assert (said(failed.value).code, said(failed.value).reason) == ("UNAVAILABLE", "STOPPING")
    assert len(await served.events()) == 1


# --- back-pressure: the handler without a transport -------------------------------------------------------------------


class Requests:
    """Messages that count how many of them were taken."""

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self._bodies = iter(bodies)
        self.taken = 0

    def __aiter__(self) -> Requests:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        self.taken += 1
        try:
            return next(self._bodies)
        except StopIteration:
            raise StopAsyncIteration from None


def handled(served: Served, requests: AsyncIterator[bytes]) -> Any:
    method: Any = served.parts.table[STREAM]
    assert isinstance(method, Bidirectional)
    call: Any = ScriptedCall()
    return method.handler(requests, call)


async def test_no_more_than_a_few_messages_are_read_ahead_of_a_reader_who_does_not_read(served: Served) -> None:
    requests = Requests(message(*tracks(f"e-{n}")) for n in range(1_000))
    stream = handled(served, requests)
    assert Response.FromString(await anext(stream)).accepted_through >= 1
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert requests.taken <= 2 * limits.IMPORT_AHEAD_MAX + 2
    rest = [Response.FromString(reply) async for reply in stream]
    assert rest[-1].summary.accepted_events == 1_000


async def test_messages_read_ahead_are_bounded_in_bytes(served: Served) -> None:
    large = message(event("identify", traits={str(n): "x" * 60_000 for n in range(35)}))
    requests = Requests([large] * 20)
    stream = handled(served, requests)
    await anext(stream)
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert requests.taken <= 2 * (limits.IMPORT_AHEAD_BYTES_MAX // len(large) + 1) + 2
    await stream.aclose()


async def test_a_reader_who_goes_away_leaves_nothing_running(served: Served) -> None:
    stream = handled(served, Requests(message(*tracks(f"e-{n}")) for n in range(1_000)))
    await anext(stream)
    (reading,) = (task for task in asyncio.all_tasks() if "_Arrivals.read" in repr(task))
    await stream.aclose()
    del stream
    await asyncio.wait([reading], timeout=10)
    assert reading.cancelled()
