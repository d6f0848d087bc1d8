"""The Optimizely destination, against a real collector."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec import structs

from sidecar.destinations.http import HttpClient
from sidecar.destinations.optimizely import ENDPOINTS, FITS_BYTES, OptimizelyConfig, OptimizelyDestination
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.events.optimizely import visitor_bytes_at_most
from sidecar.limits import KEY_BYTES_MAX, OPTIMIZELY_BATCH_BYTES_MAX
from sidecar.retry import Verdict
from sidecar.values import Outcome, OutcomeState
from tests.collector import Collector
from tests.destinations.batches import a_batch
from tests.events.samples import FACTS, a_track, an_identify, an_impression, one_of_each

QUEUED, SKIPPED = OutcomeState.QUEUED, OutcomeState.SKIPPED


def made(client: HttpClient, **config: Any) -> OptimizelyDestination:
    return OptimizelyDestination("optimizely", OptimizelyConfig(**config), client)


async def test_a_batch_is_one_envelope_with_a_visitor_an_event(collector: Collector, client: HttpClient) -> None:
    destination = made(client, endpoint=f"{collector.url}/v1/events")
    answer = await destination.send(a_batch(destination, an_impression(), a_track()))

    assert answer.verdict is Verdict.DELIVERED
    [request] = collector.received
    assert request.path == "/v1/events"
    assert request.headers["Content-Type"] == "application/json"
    envelope = request.json()
    visitors = envelope.pop("visitors")
    assert [visitor["snapshots"][0]["events"][0]["key"] for visitor in visitors] == [
        "campaign_activated",
        "purchase",
    ]
    version = envelope.pop("client_version")
    assert version
    assert envelope == {
        "account_id": "222",
        "project_id": "111",
        "revision": "7",
        "client_name": "decision-sidecar",
        "anonymize_ip": False,
        "enrich_decisions": True,
    }


async def test_the_envelope_is_counted_exactly(collector: Collector, client: HttpClient) -> None:
    destination = made(client, endpoint=collector.url)
    batch = a_batch(destination, an_impression(), a_track(), a_track())
    await destination.send(batch)

    counted = destination.envelope_bytes(FACTS) + sum(map(len, batch.rendered)) + len(batch.rendered) - 1
    assert len(collector.received[0].body) == counted


async def test_it_takes_impressions_and_tracks_alone(client: HttpClient) -> None:
    taken = [kind for kind in EventKind if made(client).takes(kind)]
    assert taken == [EventKind.IMPRESSION, EventKind.TRACK]


async def test_the_endpoint_follows_the_region_of_the_project(
    collector: Collector, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_region = {"US": f"{collector.url}/us", "EU": f"{collector.url}/eu"}
    monkeypatch.setattr("sidecar.destinations.optimizely.ENDPOINTS", by_region)
    destination = made(client)
    for region in ("US", "EU", "eu", ""):
        facts = dataclasses.replace(FACTS, region=region)
        await destination.send(a_batch(destination, an_impression(), facts=facts))
    assert [request.path for request in collector.received] == ["/us", "/eu", "/eu", "/us"]


def test_the_endpoints_are_those_of_the_sdks() -> None:
    assert ENDPOINTS == {
        "US": "https://logx.optimizely.com/v1/events",
        "EU": "https://eu.logx.optimizely.com/v1/events",
    }


@pytest.mark.parametrize(
    ("event", "facts", "state", "reason"),
    [
        (an_impression(), FACTS, QUEUED, ""),
        (a_track(), FACTS, QUEUED, ""),
        (an_identify(), FACTS, SKIPPED, "KIND_NOT_TAKEN"),
        (a_track(), None, SKIPPED, "NO_DATAFILE"),
        (a_track(event_key="unknown"), FACTS, SKIPPED, "EVENT_KEY_NOT_FOUND"),
        (a_track(historical=True), FACTS, SKIPPED, "HISTORICAL"),
        (a_track(integrations={"optimizely": False}), FACTS, SKIPPED, "INTEGRATIONS"),
        (a_track(integrations={"All": False}), FACTS, SKIPPED, "INTEGRATIONS"),
        (a_track(integrations={"All": False, "optimizely": True}), FACTS, QUEUED, ""),
        (a_track(integrations={"All": False, "Segment.io": True}), FACTS, SKIPPED, "INTEGRATIONS"),
        (a_track(integrations={"Segment.io": False}), FACTS, QUEUED, ""),
        (a_track(integrations={"Optimizely": False}), FACTS, QUEUED, ""),
        (a_track(context={"integrations": {"optimizely": False}}), FACTS, SKIPPED, "INTEGRATIONS"),
        (a_track(properties={"products": [1], "sku": "s"}), FACTS, QUEUED, "TAGS_NOT_SENT: products"),
        (
            a_track(properties={"revenue": 5, "currency": "EUR", "cart": {}}),
            FACTS,
            QUEUED,
            "TAGS_NOT_SENT: cart; REVENUE_NOT_SENT: EUR",
        ),
        (a_track(properties={"t": "\x00" * 700_000}), FACTS, SKIPPED, "TOO_LARGE"),
        (a_track(properties={"t": "a" * 700_000}), FACTS, QUEUED, ""),
    ],
)
async def test_routes(
    client: HttpClient, event: Event, facts: ProjectFacts | None, state: OutcomeState, reason: str
) -> None:
    assert made(client).route(event, facts) == Outcome("optimizely", state, reason)


async def test_history_goes_there_when_it_is_asked_for(client: HttpClient) -> None:
    assert made(client, historical=True).route(a_track(historical=True), FACTS).state is QUEUED


async def test_what_it_cannot_render_is_a_value_error(client: HttpClient) -> None:
    destination = made(client)
    with pytest.raises(ValueError, match="no project facts"):
        destination.render(a_track(), None)
    for event in one_of_each()[2:]:
        with pytest.raises(ValueError, match="wanted an Impression or a Track"):
            destination.render(event, FACTS)


async def test_a_wrong_amount_and_a_contradiction_refuse_the_call(client: HttpClient) -> None:
    destination = made(client)
    wrong = destination.check(a_track(event_tags={"revenue": "12", "value": True}), FACTS)
    assert [violation.field for violation in wrong] == ["event_tags.revenue", "event_tags.value"]
    both = destination.check(a_track(event_tags={"revenue": 1999}, properties={"revenue": 20.99}), FACTS)
    assert [violation.field for violation in both] == ["event_tags.revenue"]
    assert not destination.check(a_track(event_tags={"revenue": 1999}, properties={"revenue": 19.99}), FACTS)
    assert not destination.check(an_impression(), FACTS)


@pytest.mark.parametrize(
    "config", [{"endpoint": "logx"}, {"endpoint": "ftp://h/"}, {"currency": "usd"}, {"currency": "XXX"}]
)
def test_a_wrong_section_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        OptimizelyConfig(**config)


def test_a_request_that_fits_by_its_size_alone_is_never_too_large() -> None:
    track = a_track()
    origin = structs.replace(track.origin, request_bytes=FITS_BYTES, datafile="d" * KEY_BYTES_MAX)
    bound = visitor_bytes_at_most(structs.replace(track, origin=origin))
    assert bound <= OPTIMIZELY_BATCH_BYTES_MAX
