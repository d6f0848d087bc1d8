"""The six tracking calls and `Flush` through a running server: outcomes, repeats, times, and what is on disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.events.model import Alias, Event, Group, Identify, Origin, Page, Screen, Track
from sidecar.pb import event_pb2, tracking_pb2
from sidecar.values import Money
from tests.collector.fixtures import collector
from tests.collector.server import Answered, Collector
from tests.support.served import OPTIMIZELY, SHOP, TRACK, WEBHOOK, Served, serving, track_request, values

pytestmark = pytest.mark.usefixtures("wire")

__all__ = ["collector"]

SERVICE = "/sidecar.v1.TrackingService/"
QUEUED, SKIPPED = event_pb2.OUTCOME_STATE_QUEUED, event_pb2.OUTCOME_STATE_SKIPPED
AT = Timestamp(seconds=1_700_000_000, nanos=250_000_000)
AT_MS = 1_700_000_000_250
COMMON: dict[str, Any] = {
    "user_id": "u",
    "anonymous_id": "a",
    "event_id": "e-1",
    "timestamp": AT,
    "context": values({"ip": "1.2.3.4"}),
    "integrations": values({"optimizely": True}),
}

CALLS: dict[str, tuple[Message, Any]] = {
    "Track": (
        tracking_pb2.TrackRequest(
            **COMMON,
            event_key="purchase",
            attributes=values({"country": "DE", "n": 2**53 + 1}),
            event_tags=values({"color": "red"}),
            properties=values({"products": [{"id": 1}], "list": {"a": None}}),
            revenue=event_pb2.Money(amount="19.90", currency="EUR"),
        ),
        lambda origin: Track(
            origin=origin,
            event_key="purchase",
            attributes={"country": "DE", "n": 2**53 + 1},
            event_tags={"color": "red"},
            properties={"products": [{"id": 1}], "list": {"a": None}},
            revenue=Money(Decimal("19.90"), "EUR"),
        ),
    ),
    "Identify": (
        tracking_pb2.IdentifyRequest(**COMMON, traits=values({"plan": "free"})),
        lambda origin: Identify(origin=origin, traits={"plan": "free"}),
    ),
    "Page": (
        tracking_pb2.PageRequest(**COMMON, name="Home", category="Shop", properties=values({"path": "/"})),
        lambda origin: Page(origin=origin, name="Home", category="Shop", properties={"path": "/"}),
    ),
    "Screen": (
        tracking_pb2.ScreenRequest(**COMMON, name="Cart", category="Shop", properties=values({"n": 1})),
        lambda origin: Screen(origin=origin, name="Cart", category="Shop", properties={"n": 1}),
    ),
    "Group": (
        tracking_pb2.GroupRequest(**COMMON, group_id="g", traits=values({"seats": 9})),
        lambda origin: Group(origin=origin, group_id="g", traits={"seats": 9}),
    ),
    "Alias": (
        tracking_pb2.AliasRequest(**COMMON, previous_id="p"),
        lambda origin: Alias(origin=origin, previous_id="p"),
    ),
}
REPLIES: dict[str, type[Message]] = {name: getattr(tracking_pb2, f"{name}Response") for name in CALLS}


def outcomes(reply: Any) -> list[tuple[str, int, str]]:
    return [(one.destination, one.state, one.reason) for one in reply.outcomes]


def without_receipt(event: Event) -> tuple[Any, ...]:
    origin = event.origin
    return (
        *(origin.event_id, origin.time_ms, origin.user_id, origin.anonymous_id, origin.datafile),
        *(dict(origin.context), dict(origin.integrations)),
    )


def committed_events(directory: Path) -> int:
    """Events pending at any destination, as another process sees them now."""
    with sqlite3.connect(f"file:{directory / 'data' / 'outbox.db'}?mode=ro", uri=True) as connection:
        (events,) = connection.execute("SELECT count(*) FROM records").fetchone()
    connection.close()
    return int(events)


@pytest.mark.parametrize("method", CALLS)
async def test_call_is_stored_as_it_came(served: Served, method: str) -> None:
    request, event_of = CALLS[method]
    reply: Any = await served.call(SERVICE + method, request, REPLIES[method])
    assert reply.event_id == "e-1"
    (event,) = await served.events()
    origin = Origin(
        event_id="e-1",
        time_ms=AT_MS,
        received_ms=event.origin.received_ms,
        user_id="u",
        anonymous_id="a",
        datafile="default",
        context={"ip": "1.2.3.4"},
        integrations={"optimizely": True},
        request_bytes=request.ByteSize(),
    )
    assert event == event_of(origin)


@pytest.mark.parametrize("method", [name for name in CALLS if name != "Track"])
async def test_calls_other_than_track_are_not_for_optimizely(served: Served, method: str) -> None:
    reply = await served.call(SERVICE + method, CALLS[method][0], REPLIES[method])
    assert outcomes(reply) == [("optimizely", SKIPPED, "KIND_NOT_TAKEN"), ("hook", QUEUED, "")]
    assert await served.events("optimizely") == []


async def test_a_known_event_is_queued_everywhere(served: Served) -> None:
    reply = await served.track()
    assert outcomes(reply) == [("optimizely", QUEUED, ""), ("hook", QUEUED, "")]
    assert len(await served.events("optimizely")) == len(await served.events("hook")) == 1


async def test_an_unknown_event_is_skipped_where_its_key_counts(served: Served) -> None:
    reply = await served.track(event_key="nope")
    assert outcomes(reply) == [("optimizely", SKIPPED, "EVENT_KEY_NOT_FOUND"), ("hook", QUEUED, "")]


async def test_an_unknown_event_that_nobody_takes_is_not_found(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(OPTIMIZELY)]}) as served:
        refused = await served.refused(TRACK, track_request(event_key="nope"))
        assert (refused.code, refused.reason, refused.domain) == ("NOT_FOUND", "EVENT_KEY_NOT_FOUND", "sidecar")
        assert refused.metadata == {"event_key": "nope"}
        long = await served.refused(TRACK, track_request(event_key="k" * 60_000))
        assert long.reason == "EVENT_KEY_NOT_FOUND"
        assert long.metadata["event_key"].startswith("k" * 100)


async def test_without_a_datafile_the_webhook_still_gets_tracks(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}}) as served:
        reply = await served.track()
        assert outcomes(reply) == [("optimizely", SKIPPED, "NO_DATAFILE"), ("hook", QUEUED, "")]
        (event,) = await served.events()
        assert event.origin.datafile == ""


async def test_without_a_datafile_and_any_other_taker_a_track_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}, "destinations": [dict(OPTIMIZELY)]}) as served:
        refused = await served.refused(TRACK, track_request())
        assert (refused.code, refused.reason, refused.domain) == ("FAILED_PRECONDITION", "NO_DATAFILE", "sidecar")


async def test_an_unknown_datafile_is_not_found(served: Served) -> None:
    for method, (message, _) in CALLS.items():
        request = type(message).FromString(message.SerializeToString())
        request.datafile = "nope"  # type: ignore[attr-defined]  # every request of the service has the field
        refused = await served.refused(SERVICE + method, request)
        assert (refused.code, refused.reason) == ("NOT_FOUND", "DATAFILE_NOT_FOUND")
    assert await served.events() == []


async def test_a_full_outbox_refuses_with_a_time_to_wait(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(WEBHOOK)], "outbox": {"bytes_max": 400}}) as served:
        for number in range(20):
            try:
                await served.track(event_id=f"e-{number}")
            except Exception:  # noqa: BLE001 - which call finds it full is the outbox's to say
                break
        refused = await served.refused(TRACK, track_request())
        assert (refused.code, refused.reason, refused.domain) == ("RESOURCE_EXHAUSTED", "OUTBOX_FULL", "sidecar")
        assert refused.retry_s == 2.0
        assert refused.metadata == {"limit_bytes": "400"}


async def test_contradictions_concern_nobody_but_those_who_count(tmp_path: Path) -> None:
    contradictory = {"event_tags": {"revenue": 100}, "properties": {"revenue": 1.01}}
    async with serving(tmp_path) as served:
        refused = await served.refused(TRACK, track_request(**contradictory))
        assert refused.fields == ["event_tags.revenue"]
        assert await served.events() == []
    async with serving(tmp_path, {"destinations": [dict(WEBHOOK)]}) as served:
        reply = await served.track(**contradictory)
        assert outcomes(reply) == [("hook", QUEUED, "")]


async def test_what_optimizely_cannot_take_is_named_in_the_outcome(served: Served) -> None:
    reply = await served.track(event_tags={"nested": [1]}, revenue=event_pb2.Money(amount="5.00", currency="EUR"))
    (optimizely, hook) = outcomes(reply)
    assert optimizely[:2] == ("optimizely", QUEUED)
    assert "TAGS_NOT_SENT: nested" in optimizely[2]
    assert "EUR" in optimizely[2]
    assert hook == ("hook", QUEUED, "")


@pytest.mark.parametrize(
    "switches",
    [
        {"integrations": {"hook": False}},
        {"integrations": {"All": False, "optimizely": True}},
        {"context": {"integrations": {"hook": False}}},
        {"context": {"integrations": {"hook": True}}, "integrations": {"hook": False}},
    ],
)
async def test_integrations_switch_a_destination_off(served: Served, switches: dict[str, Any]) -> None:
    (optimizely, hook) = outcomes(await served.track(**switches))
    assert optimizely == ("optimizely", QUEUED, "")
    assert (hook[1], hook[2]) == (SKIPPED, "INTEGRATIONS")


async def test_an_event_that_everyone_skips_is_accepted_and_stored_nowhere(served: Served) -> None:
    reply = await served.track(integrations={"All": False})
    assert {state for _, state, _ in outcomes(reply)} == {SKIPPED}
    assert await served.events() == []


# --- identity and time --------------------------------------------------------------------------------------------


async def test_a_repeated_id_is_answered_as_the_first_and_not_queued(served: Served) -> None:
    first = await served.track(event_id="e-1")
    again = await served.track(event_id="e-1", event_key="nope")
    identify = tracking_pb2.IdentifyRequest(user_id="u", event_id="e-1")
    other = await served.call(SERVICE + "Identify", identify, tracking_pb2.IdentifyResponse)
    assert first == again
    assert outcomes(other) == outcomes(first)
    assert len(await served.events()) == 1


async def test_a_repeated_id_is_recognised_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        first = await served.track(event_id="e-1")
    async with serving(tmp_path) as served:
        assert await served.track(event_id="e-1") == first
        assert len(await served.events()) == 1


async def test_repeats_that_run_together_are_one_event(served: Served) -> None:
    replies = await asyncio.gather(*(served.track(event_id="e-1") for _ in range(50)))
    assert all(reply == replies[0] for reply in replies)
    assert len(await served.events()) == 1


async def test_an_id_is_made_when_none_is_given(served: Served) -> None:
    first, second = await served.track(), await served.track()
    assert len(first.event_id) == len(second.event_id) == 36
    assert [event.origin.event_id for event in await served.events()] == [first.event_id, second.event_id]


async def test_the_time_is_the_caller_s_else_the_receipt(served: Served) -> None:
    await served.track(timestamp=Timestamp(seconds=-1))
    await served.track()
    past, now = await served.events()
    assert past.origin.time_ms == -1000
    assert past.origin.received_ms > AT_MS
    assert now.origin.time_ms == now.origin.received_ms


async def test_an_anonymous_user_is_enough(served: Served) -> None:
    await served.track(user_id="", anonymous_id="a")
    (event,) = await served.events("optimizely")
    assert event.origin.visitor_id == "a"


async def test_the_answer_comes_after_the_commit(served: Served, tmp_path: Path) -> None:
    for number in range(1, 6):
        await served.track()
        assert committed_events(tmp_path) == number


# --- Flush --------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def delivering(tmp_path: Path, collector: Collector) -> AsyncIterator[Served]:
    """Two webhooks: `up` is the collector, `down` nobody answers. The datafile `one` has `up` alone."""
    destinations = [
        {"name": "up", "type": "webhook", "endpoint": collector.url, "batch_age_max": "60s"},
        {**WEBHOOK, "name": "down"},
    ]
    datafiles = {"all": {"path": str(SHOP)}, "one": {"path": str(SHOP), "destinations": ["up"]}}
    async with serving(tmp_path, {"destinations": destinations, "datafiles": datafiles}, deliver=True) as served:
        yield served


async def flush(served: Served, seconds: float | None = None, datafile: str = "") -> list[tuple[str, int]]:
    request = tracking_pb2.FlushRequest(datafile=datafile)
    if seconds is not None:
        request.timeout.FromMilliseconds(int(seconds * 1000))
    reply = await served.call(SERVICE + "Flush", request, tracking_pb2.FlushResponse)
    return [(one.destination, one.events) for one in reply.remainders]


async def test_flush_delivers_and_says_what_is_left(delivering: Served, collector: Collector) -> None:
    for _ in range(3):
        await delivering.track()
    assert await flush(delivering, 0.3) == [("up", 0), ("down", 3)]
    assert sum(len(request.json()) for request in collector.taken) == 3


async def test_flush_of_one_datafile_is_for_its_destinations_alone(delivering: Served) -> None:
    await delivering.track(datafile="one")
    await delivering.track(datafile="all")
    assert await flush(delivering, 5, "one") == [("up", 0)]


async def test_flush_of_no_time_just_says_how_much(delivering: Served, collector: Collector) -> None:
    collector.default = Answered(delay_s=1)
    await delivering.track()
    assert await flush(delivering, 0) == [("up", 1), ("down", 1)]


async def test_flush_answers_before_its_caller_s_deadline(delivering: Served) -> None:
    await delivering.track()
    request = tracking_pb2.FlushRequest()
    reply = await delivering.call(SERVICE + "Flush", request, tracking_pb2.FlushResponse, timeout_s=0.5)
    assert [one.events for one in reply.remainders] == [0, 1]


async def test_flush_of_an_unknown_datafile_is_not_found(delivering: Served) -> None:
    refused = await delivering.refused(SERVICE + "Flush", tracking_pb2.FlushRequest(datafile="nope"))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "DATAFILE_NOT_FOUND")
