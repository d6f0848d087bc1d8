"""The Segment destination, against a real collector."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from sidecar.config import Secret
from sidecar.destinations.http import HttpClient
from sidecar.destinations.segment import SegmentConfig, SegmentDestination
from sidecar.events.model import EventKind
from sidecar.retry import Verdict
from sidecar.values import Outcome, OutcomeState
from tests.collector import Answered, Collector
from tests.destinations.batches import a_batch
from tests.events.samples import EVENT_ID, TIME_MS, a_track, an_identify, an_impression, one_of_each

QUEUED, SKIPPED = OutcomeState.QUEUED, OutcomeState.SKIPPED
KEY = "wk-0123456789"


def made(client: HttpClient, **config: Any) -> SegmentDestination:
    return SegmentDestination("segment", SegmentConfig(write_key=Secret(KEY), **config), client)


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_batch_goes_to_v1_batch_with_the_key_as_basic_user(
    collector: Collector, client: HttpClient, slash: str
) -> None:
    destination = made(client, endpoint=collector.url + slash)
    answer = await destination.send(a_batch(destination, *one_of_each()[1:]))

    assert answer.verdict is Verdict.DELIVERED
    [request] = collector.received
    assert request.path == "/v1/batch"
    scheme, token = request.headers["Authorization"].split(" ")
    assert (scheme, b64decode(token).decode()) == ("Basic", f"{KEY}:")
    assert KEY not in request.body.decode()
    assert [message["type"] for message in request.json()["batch"]] == [
        "track",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
    ]


async def test_sent_at_is_new_at_each_attempt_and_the_message_id_is_not(
    collector: Collector, client: HttpClient
) -> None:
    destination = made(client, endpoint=collector.url)
    for attempt in range(3):
        await destination.send(a_batch(destination, a_track(), attempt=attempt, now_ms=TIME_MS + attempt * 1_000))
    bodies = [request.json() for request in collector.received]
    assert [body["sentAt"] for body in bodies] == [f"2026-03-01T12:00:0{second}.250Z" for second in range(3)]
    assert {body["batch"][0]["messageId"] for body in bodies} == {EVENT_ID}
    assert {body["batch"][0]["timestamp"] for body in bodies} == {"2026-03-01T12:00:00.250Z"}
    assert [request.headers.get("X-Retry-Count") for request in collector.received] == [None, "1", "2"]


@pytest.mark.parametrize("events", [1, 400])
async def test_bodies_are_compressed_unless_told_otherwise(
    collector: Collector, client: HttpClient, events: int
) -> None:
    for gzip in (True, False):
        destination = made(client, endpoint=collector.url, gzip=gzip)
        await destination.send(a_batch(destination, *[a_track(properties={"text": "x" * 100})] * events))
    zipped, plain = collector.received
    assert zipped.json() == plain.json()
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.sent_bytes < plain.sent_bytes == len(plain.body)


async def test_the_envelope_is_counted_exactly(collector: Collector, client: HttpClient) -> None:
    destination = made(client, endpoint=collector.url, gzip=False)
    batch = a_batch(destination, a_track(), an_identify())
    await destination.send(batch)
    counted = destination.envelope_bytes(None) + sum(map(len, batch.rendered)) + 1
    assert len(collector.received[0].body) == counted


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        *[(event, QUEUED, "") for event in one_of_each()[1:]],
        (a_track(historical=True), QUEUED, ""),
        (an_impression(), SKIPPED, "KIND_NOT_TAKEN"),
        (a_track(integrations={"All": False}), QUEUED, ""),
        (a_track(integrations={"segment": False}), SKIPPED, "INTEGRATIONS"),
        (a_track(integrations={"Segment.io": False}), SKIPPED, "INTEGRATIONS"),
        (a_track(integrations={"All": False, "Segment.io": True}), QUEUED, ""),
        (a_track(integrations={"All": False, "Segment.io": {"a": 1}}), QUEUED, ""),
        (a_track(integrations={"segment": True, "Segment.io": False}), QUEUED, ""),
        (a_track(integrations={"segment.io": False, "Segment": False}), QUEUED, ""),
        (a_track(context={"integrations": {"Segment.io": False}}), SKIPPED, "INTEGRATIONS"),
        (a_track(context={"integrations": {"Segment.io": False}}, integrations={"Segment.io": True}), QUEUED, ""),
        (a_track(properties={"text": "a" * 31_000}), QUEUED, ""),
        (a_track(properties={"text": "a" * 32_000}), SKIPPED, "TOO_LARGE"),
        (a_track(properties={"text": "\x01" * 5_400}), SKIPPED, "TOO_LARGE"),
        (a_track(properties={"text": "é" * 15_900}), SKIPPED, "TOO_LARGE"),
        (a_track(properties={"text": "é" * 15_500}), QUEUED, ""),
    ],
)
async def test_routes(client: HttpClient, event: Any, state: OutcomeState, reason: str) -> None:
    assert made(client).route(event, None) == Outcome("segment", state, reason)


async def test_impressions_go_there_when_switched_on_and_something_was_shown(client: HttpClient) -> None:
    destination = made(client, impressions=True)
    assert destination.takes(EventKind.IMPRESSION)
    assert not made(client).takes(EventKind.IMPRESSION)
    assert destination.route(an_impression(), None).state is QUEUED
    assert destination.route(an_impression(variation_key=""), None).reason == "NO_VARIATION"


async def test_contradicting_amounts_refuse_the_call(client: HttpClient) -> None:
    violations = made(client).check(a_track(event_tags={"revenue": 1}, properties={"revenue": 1}), None)
    assert [violation.field for violation in violations] == ["event_tags.revenue"]
    assert not made(client).check(a_track(event_tags={"revenue": "much"}), None), "R12 binds Optimizely's alone"


async def test_the_key_is_in_no_error_even_if_the_other_side_repeats_it(
    collector: Collector, client: HttpClient
) -> None:
    destination = made(client, endpoint=collector.url)
    batch = a_batch(destination, a_track())
    collector.judge = lambda received: Answered(
        400, body=f"bad key {KEY}, you sent {received.headers['Authorization']} " + "x" * 5_000
    )
    answer = await destination.send(batch)
    assert answer.verdict is Verdict.REFUSED
    assert answer.detail.startswith("400 Bad Request: bad key …, you sent Basic … xxx")
    assert len(answer.detail) <= 300


@pytest.mark.parametrize(
    "config",
    [
        {"batch_events_max": 0},
        {"batch_events_max": 2_501},
        {"endpoint": "segment"},
        {"endpoint": "https://u:p@h"},
        {"currency": "DM"},
        {"impressions_window_s": 59},
        {"impressions_window_bytes_max": 65_535},
        {"impressions_window_bytes_max": 2**28 + 1},
    ],
)
def test_a_wrong_section_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        SegmentConfig(write_key=Secret(KEY), **config)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="write_key is empty"):
        SegmentConfig(write_key=Secret(""))
