"""`NotificationService` through a running server: what each kind says, the slow reader, bounds, and the stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from sidecar.limits import NOTIFICATIONS_QUEUED_MAX, SUBSCRIBERS_MAX
from sidecar.pb import event_pb2, notification_pb2, reason_pb2, tracking_pb2
from sidecar.rpc.wire_values import trusted_mapping
from tests.collector.fixtures import collector
from tests.collector.server import Collector
from tests.support.refusals import said
from tests.support.served import OPTIMIZELY, SHOP, Served, serving, track_request, values

pytestmark = pytest.mark.usefixtures("wire")

__all__ = ["collector"]

SUBSCRIBE = "/sidecar.v1.NotificationService/Subscribe"
TRACKING = "/sidecar.v1.TrackingService/"
DECISION = notification_pb2.NOTIFICATION_KIND_DECISION
TRACKED = notification_pb2.NOTIFICATION_KIND_TRACKED
DELIVERY = notification_pb2.NOTIFICATION_KIND_DELIVERY
DATAFILE_UPDATE = notification_pb2.NOTIFICATION_KIND_DATAFILE_UPDATE


class Reader:
    """A subscription that reads when it is told to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def next(self) -> notification_pb2.SubscribeResponse:
        message = await self._stream.read()
        assert isinstance(message, bytes), "the stream ended"
        return notification_pb2.SubscribeResponse.FromString(message)

    async def failed(self) -> Any:
        """How the stream ends when it fails; what comes before is thrown away."""
        with pytest.raises(aio.AioRpcError) as error:
            async for _ in self._stream:
                pass
        return said(error.value)

    def leave(self) -> None:
        self._stream.cancel()


async def metric(served: Served, name: str) -> float:
    lines = (await served.parts.metrics.render()).decode().splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def readers(served: Served, wanted: int) -> None:
    """Returns when that many readers listen: a stream says nothing of itself before its first message."""
    async with asyncio.timeout(5):
        while await metric(served, "sidecar_notification_readers") != wanted:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def reading(served: Served, kinds: Sequence[Any] = (), datafile: str = "") -> AsyncIterator[Reader]:
    before = int(await metric(served, "sidecar_notification_readers"))
    request = notification_pb2.SubscribeRequest(kinds=kinds, datafile=datafile)
    reader = Reader(served.stream(SUBSCRIBE, request, timeout_s=30))
    await readers(served, before + 1)
    yield reader
    reader.leave()


async def refused(served: Served, **fields: Any) -> Any:
    return await Reader(served.stream(SUBSCRIBE, notification_pb2.SubscribeRequest(**fields))).failed()


# --- what is told -------------------------------------------------------------------------------------------------


async def test_a_decision_is_told_as_it_was_answered(served: Served) -> None:
    async with reading(served, [DECISION]) as reader:
        answered = await served.decide(flag_keys=["search_ranking"], attributes={"country": "DE", "list": [1, None]})
        told = await reader.next()
    decision = told.decision
    assert (decision.user_id, decision.datafile, decision.revision) == ("u", "default", answered.revision)
    assert decision.decision_id == answered.decision_id
    # Reasons are for the call that asked for them.
    del answered.decisions[0].reasons[:]
    assert decision.decision == answered.decisions[0]
    assert decision.kind == notification_pb2.DECISION_KIND_FLAG
    assert decision.impression_offered
    assert trusted_mapping(decision.attributes) == {"country": "DE", "list": [1, None]}
    assert told.HasField("event_time")
    assert told.lost == 0


async def test_each_flag_of_a_call_is_told_in_the_order_of_the_answer(served: Served) -> None:
    async with reading(served, [DECISION]) as reader:
        answered = await served.decide()
        told = [(await reader.next()).decision.decision for _ in answered.decisions]
    assert told == list(answered.decisions)


async def test_a_decision_without_an_impression_says_so(served: Served) -> None:
    async with reading(served, [DECISION]) as reader:
        await served.decide(flag_keys=["nope"])
        told = (await reader.next()).decision
    assert told.decision.reason == reason_pb2.DECISION_REASON_FLAG_NOT_FOUND
    assert not told.impression_offered


async def test_a_track_is_told_with_its_outcomes(served: Served) -> None:
    async with reading(served, [TRACKED]) as reader:
        reply = await served.track(
            anonymous_id="a",
            event_id="e-1",
            attributes={"plan": "pro"},
            event_tags={"value": 2.5},
            properties={"products": [{"id": 1}]},
        )
        told = (await reader.next()).tracked
    assert (told.kind, told.event_id, told.event_key) == (event_pb2.EVENT_KIND_TRACK, "e-1", "purchase")
    assert (told.user_id, told.anonymous_id, told.datafile) == ("u", "a", "default")
    assert list(told.outcomes) == list(reply.outcomes)
    maps = [trusted_mapping(each) for each in (told.attributes, told.event_tags, told.properties)]
    assert maps == [{"plan": "pro"}, {"value": 2.5}, {"products": [{"id": 1}]}]


@pytest.mark.parametrize(
    ("method", "request_", "kind", "properties"),
    [
        ("Identify", tracking_pb2.IdentifyRequest(user_id="u", traits=values({"a": 1})), "IDENTIFY", {"a": 1}),
        ("Page", tracking_pb2.PageRequest(user_id="u", properties=values({"a": 1})), "PAGE", {"a": 1}),
        ("Screen", tracking_pb2.ScreenRequest(user_id="u", properties=values({"a": 1})), "SCREEN", {"a": 1}),
        ("Group", tracking_pb2.GroupRequest(user_id="u", group_id="g", traits=values({"a": 1})), "GROUP", {"a": 1}),
        ("Alias", tracking_pb2.AliasRequest(user_id="u", previous_id="p"), "ALIAS", {}),
    ],
)
async def test_the_other_calls_are_told_too(
    served: Served, method: str, request_: Any, kind: str, properties: dict[str, Any]
) -> None:
    async with reading(served, [TRACKED]) as reader:
        await served.call(TRACKING + method, request_, getattr(tracking_pb2, f"{method}Response"))
        told = (await reader.next()).tracked
    assert told.kind == event_pb2.EventKind.Value(f"EVENT_KIND_{kind}")
    assert trusted_mapping(told.properties) == properties


async def test_a_track_of_an_unknown_key_is_told_when_somebody_takes_it(served: Served) -> None:
    async with reading(served, [TRACKED]) as reader:
        await served.track(event_key="nope")
        told = (await reader.next()).tracked
    assert [(one.destination, one.state) for one in told.outcomes] == [
        ("optimizely", event_pb2.OUTCOME_STATE_SKIPPED),
        ("hook", event_pb2.OUTCOME_STATE_QUEUED),
    ]


@pytest.mark.parametrize("integrations", [{}, {"All": False}, {"optimizely": False}], ids=["all", "none", "switched"])
async def test_a_track_of_an_unknown_key_that_only_optimizely_would_take_is_not_told(
    tmp_path: Path, integrations: dict[str, Any]
) -> None:
    async with (
        serving(tmp_path, {"destinations": [dict(OPTIMIZELY)]}) as served,
        reading(served, [TRACKED]) as reader,
    ):
        try:
            await served.track(event_key="nope", integrations=integrations)
        except aio.AioRpcError as error:
            assert said(error).reason == "EVENT_KEY_NOT_FOUND"  # noqa: PT017 - whether it is refused is not this test's
        await served.track(event_id="known")
        assert (await reader.next()).tracked.event_id == "known"


async def test_a_repeat_and_a_refused_event_are_not_told(served: Served) -> None:
    async with reading(served, [TRACKED]) as reader:
        await served.track(event_id="e-1")
        await served.track(event_id="e-1")
        await served.refused(TRACKING + "Track", track_request(event_key=""))
        await served.track(event_id="e-2")
        assert [(await reader.next()).tracked.event_id for _ in range(2)] == ["e-1", "e-2"]


async def test_a_delivery_is_told_with_the_ids_it_brought(tmp_path: Path, collector: Collector) -> None:
    hook = {"name": "hook", "type": "webhook", "endpoint": collector.url, "batch_age_max": 0.01}
    async with (
        serving(tmp_path, {"destinations": [hook]}, deliver=True) as served,
        reading(served, [DELIVERY]) as reader,
    ):
        await served.track(event_id="e-1")
        told = (await reader.next()).delivery
    assert told == notification_pb2.DeliveryNotification(
        destination="hook",
        state=notification_pb2.DELIVERY_STATE_DELIVERED,
        events=1,
        event_ids=["e-1"],
        http_status=200,
        attempt=1,
    )


async def test_an_applied_datafile_is_told_with_the_revision_before(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_bytes(SHOP.read_bytes())
    async with (
        serving(tmp_path, {"datafiles": {"shop": {"path": str(path)}}}) as served,
        reading(served, [DATAFILE_UPDATE]) as reader,
    ):
        path.write_bytes(SHOP.read_bytes().replace(b'"revision": "41"', b'"revision": "42"'))
        await served.parts.datafiles.reload()
        told = (await reader.next()).datafile_update
    assert (told.datafile, told.revision, told.previous_revision) == ("shop", "42", "41")


async def test_a_reader_gets_the_datafile_that_it_named(tmp_path: Path) -> None:
    datafiles = {name: {"path": str(SHOP)} for name in ("default", "other")}
    async with serving(tmp_path, {"datafiles": datafiles}) as served, reading(served, [], "other") as reader:
        await served.decide(flag_keys=["search_ranking"])
        await served.decide(flag_keys=["search_ranking"], datafile="other")
        assert (await reader.next()).decision.datafile == "other"


async def test_without_any_datafile_tracked_events_are_told(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}}) as served, reading(served) as reader:
        await served.track(event_id="e-1")
        assert (await reader.next()).tracked.event_id == "e-1"


# --- who may listen -----------------------------------------------------------------------------------------------


async def test_an_unknown_datafile_is_not_found(served: Served) -> None:
    assert (await refused(served, datafile="nope")).reason == "DATAFILE_NOT_FOUND"


async def test_an_unknown_kind_is_named(served: Served) -> None:
    wrong = await refused(served, kinds=[0, DECISION, 77])
    assert (wrong.code, wrong.fields) == ("INVALID_ARGUMENT", ["kinds[2]"])


async def test_a_reader_too_many_is_refused_until_one_leaves(served: Served) -> None:
    streams = [served.stream(SUBSCRIBE, notification_pb2.SubscribeRequest()) for _ in range(SUBSCRIBERS_MAX)]
    await readers(served, SUBSCRIBERS_MAX)
    full = await refused(served)
    assert (full.code, full.reason, full.retry_s) == ("RESOURCE_EXHAUSTED", "SUBSCRIBERS_FULL", 10.0)
    assert full.metadata == {"readers_max": str(SUBSCRIBERS_MAX)}
    streams.pop().cancel()
    await readers(served, SUBSCRIBERS_MAX - 1)
    async with reading(served) as reader:
        await served.track(event_id="e-1")
        assert (await reader.next()).tracked.event_id == "e-1"


async def test_readers_are_told_that_the_daemon_stops(served: Served) -> None:
    async with reading(served) as reader:
        served.parts.gate.close()
        stopped = await reader.failed()
    assert (stopped.code, stopped.reason) == ("UNAVAILABLE", "STOPPING")
    await readers(served, 0)


# --- the slow reader ----------------------------------------------------------------------------------------------


async def test_a_stuck_reader_slows_no_decision_and_is_told_how_many_it_lost(served: Served) -> None:
    text, calls = "x" * 30_000, 300
    async with reading(served, [DECISION]) as stuck, reading(served, [TRACKED]) as other:
        for number in range(calls):
            answered = await served.decide(decision_id=f"d-{number}", attributes={"text": text})
            assert len(answered.decisions) == 5
        lost = int(await metric(served, "sidecar_notifications_lost_total"))
        assert lost > calls * 5 - NOTIFICATIONS_QUEUED_MAX, "the bytes are the tighter bound here"
        await served.track(event_id="e-1")
        assert (await other.next()).lost == 0
        ids: list[str] = []
        told = 0
        while not ids or ids[-1] != f"d-{calls - 1}" or told + len(ids) < calls * 5:
            message = await stuck.next()
            told += message.lost
            ids.append(message.decision.decision_id)
    assert told == lost
    assert len(ids) + told == calls * 5
    assert ids == sorted(ids, key=lambda each: int(each[2:])), "in order, whatever is missing"


async def test_a_stuck_reader_that_is_gone_is_forgotten(served: Served) -> None:
    async with reading(served, [DECISION]):
        for number in range(100):
            await served.decide(decision_id=f"d-{number}", attributes={"text": "x" * 30_000})
    await readers(served, 0)
    answered = await served.decide()
    assert len(answered.decisions) == 5


async def test_a_stuck_reader_is_cut_at_the_end_of_the_grace(served: Served) -> None:
    async with reading(served, [DECISION]):
        for number in range(100):
            await served.decide(decision_id=f"d-{number}", attributes={"text": "x" * 30_000})
        served.parts.gate.close()
        async with asyncio.timeout(5):
            await served.parts.transport.stop(grace_s=0.2)
        await readers(served, 0)
