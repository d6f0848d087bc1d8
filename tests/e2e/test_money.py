"""Money through the daemon: one Track, said to each destination in its own vocabulary and currency, exactly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio

from sidecar.pb import event_pb2, tracking_pb2
from tests.collector import Collector
from tests.e2e.scene import TRACK, Scene, flush, unary
from tests.support.refusals import said
from tests.support.served import track_request

OPTIMIZELY = ("USD", "JPY", "KWD")
"""The currencies of the Optimizely destinations, each named like its own."""


def typed(amount: str, currency: str) -> dict[str, Any]:
    return {"revenue": event_pb2.Money(amount=amount, currency=currency)}


def tagged(revenue: Any, /, **properties: Any) -> dict[str, Any]:
    return {"event_tags": {"revenue": revenue}, "properties": properties}


def bought(revenue: Any, /, **properties: Any) -> dict[str, Any]:
    return {"properties": {"revenue": revenue, **properties}}


NOT_SENT = "REVENUE_NOT_SENT: "

TABLE: list[tuple[dict[str, Any], dict[str, int | str], dict[str, Any]]] = [
    # the Track · minor units at Optimizely by currency, or why none · what Segment's properties say
    (typed("19.99", "USD"), {"USD": 1999, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.99", "currency": "USD"}),
    (typed("19.9", "USD"), {"USD": 1990, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.9", "currency": "USD"}),
    (typed("1999", "JPY"), {"USD": "JPY", "JPY": 1999, "KWD": "JPY"}, {"revenue": "1999", "currency": "JPY"}),
    (typed("1.234", "KWD"), {"USD": "KWD", "JPY": "KWD", "KWD": 1234}, {"revenue": "1.234", "currency": "KWD"}),
    (typed("5.00", "EUR"), {"USD": "EUR", "JPY": "EUR", "KWD": "EUR"}, {"revenue": "5.00", "currency": "EUR"}),
    (typed("-5.50", "USD"), {"USD": -550, "JPY": "USD", "KWD": "USD"}, {"revenue": "-5.50", "currency": "USD"}),
    (typed("0", "USD"), {"USD": 0, "JPY": "USD", "KWD": "USD"}, {"revenue": "0", "currency": "USD"}),
    (
        typed("92233720368547758.07", "USD"),
        {"USD": 2**63 - 1, "JPY": "USD", "KWD": "USD"},
        {"revenue": "92233720368547758.07", "currency": "USD"},
    ),
    (
        typed("92233720368547758.08", "USD"),
        {"USD": "too large", "JPY": "USD", "KWD": "USD"},
        {"revenue": "92233720368547758.08", "currency": "USD"},
    ),
    (tagged(1999), {"USD": 1999, "JPY": 1999, "KWD": 1999}, {"revenue": "19.99", "currency": "USD"}),
    (tagged(1999.0), {"USD": 1999, "JPY": 1999, "KWD": 1999}, {"revenue": "19.99", "currency": "USD"}),
    (tagged(-1), {"USD": -1, "JPY": -1, "KWD": -1}, {"revenue": "-0.01", "currency": "USD"}),
    (tagged(1999, currency="USD"), {"USD": 1999, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.99", "currency": "USD"}),
    (tagged(1999, currency="JPY"), {"USD": "JPY", "JPY": 1999, "KWD": "JPY"}, {"revenue": "1999", "currency": "JPY"}),
    (tagged(1234, currency="kwd"), {"USD": "KWD", "JPY": "KWD", "KWD": 1234}, {"revenue": "1.234", "currency": "KWD"}),
    (tagged(1999, currency="BTC"), {"USD": "BTC", "JPY": "BTC", "KWD": "BTC"}, {"currency": "BTC"}),
    (bought(19.99), {"USD": 1999, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.99"}),
    (bought(1.15), {"USD": 115, "JPY": "USD", "KWD": "USD"}, {"revenue": "1.15"}),
    (bought(0.1 + 0.2), {"USD": 30, "JPY": "USD", "KWD": "USD"}, {"revenue": "0.30000000000000004"}),
    (bought(20), {"USD": 2000, "JPY": "USD", "KWD": "USD"}, {"revenue": "20"}),
    (bought("19.99"), {"USD": 1999, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.99"}),
    (
        bought(19.99, currency="EUR"),
        {"USD": "EUR", "JPY": "EUR", "KWD": "EUR"},
        {"revenue": "19.99", "currency": "EUR"},
    ),
    (bought(1500, currency="JPY"), {"USD": "JPY", "JPY": 1500, "KWD": "JPY"}, {"revenue": "1500", "currency": "JPY"}),
    (
        bought(1500.5, currency="JPY"),
        {"USD": "JPY", "JPY": "fraction of a minor unit", "KWD": "JPY"},
        {"revenue": "1500.5", "currency": "JPY"},
    ),
    (bought(0.001, currency="KWD"), {"USD": "KWD", "JPY": "KWD", "KWD": 1}, {"revenue": "0.001", "currency": "KWD"}),
    (bought("much"), dict.fromkeys(OPTIMIZELY, "no number"), {"revenue": "much"}),
    (
        {**typed("19.99", "USD"), **tagged(1999, revenue=19.99, currency="USD")},
        {"USD": 1999, "JPY": "USD", "KWD": "USD"},
        {"revenue": "19.99", "currency": "USD"},
    ),
    (tagged(1999, revenue=19.99), {"USD": 1999, "JPY": "USD", "KWD": "USD"}, {"revenue": "19.99"}),
    (
        tagged(19, revenue=19, currency="JPY"),
        {"USD": "JPY", "JPY": 19, "KWD": "JPY"},
        {"revenue": "19", "currency": "JPY"},
    ),
    ({}, {}, {}),
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**typed("20", "USD"), **tagged(1999)}, "event_tags.revenue"),
    ({**typed("19.99", "USD"), **bought(20)}, "properties.revenue"),
    ({**typed("19.99", "USD"), "properties": {"currency": "EUR"}}, "properties.currency"),
    (tagged(1999, revenue=1999), "event_tags.revenue"),
    (tagged(1999, revenue=19.99, currency="JPY"), "event_tags.revenue"),
    ({"event_tags": {"value": 5}, "properties": {"value": 6}}, "event_tags.value"),
    (tagged("1999"), "event_tags.revenue"),
    (tagged(19.99), "event_tags.revenue"),
    ({"event_tags": {"revenue": True}}, "event_tags.revenue"),
    ({"event_tags": {"value": "much"}}, "event_tags.value"),
    (typed("19.999", "USD"), "revenue.amount"),
    (typed("1.5", "JPY"), "revenue.amount"),
    (typed("1e3", "USD"), "revenue.amount"),
    (typed("5", "usd"), "revenue.currency"),
    (typed("5", "XXX"), "revenue.currency"),
]


@dataclass
class Till:
    """A daemon that delivers to Optimizely in three currencies and to Segment, and what a collector got."""

    channel: aio.Channel
    collector: Collector

    async def outcomes(self, event_id: str, track: dict[str, Any]) -> dict[str, str]:
        request = track_request(event_id=event_id, **track)
        reply = await unary(self.channel, TRACK, request, tracking_pb2.TrackResponse)
        return {one.destination: one.reason for one in reply.outcomes}

    def bodies(self, path: str) -> list[Any]:
        requests = [request for request in self.collector.taken if request.path.startswith(path)]
        return [json.loads(request.body, parse_float=Decimal) for request in requests]


@pytest_asyncio.fixture
async def till(scene: Scene, collector: Collector) -> AsyncIterator[Till]:
    for_optimizely = [
        {"name": code, "type": "optimizely", "endpoint": f"{collector.url}/{code}", "currency": code}
        for code in OPTIMIZELY
    ]
    for_segment = {"name": "segment", "type": "segment", "endpoint": f"{collector.url}/segment", "write_key": "k"}
    scene.deliver_to(*({**one, "batch_age_max": "10ms"} for one in (*for_optimizely, for_segment)))
    await scene.start_beside()
    async with scene.channel() as channel:
        yield Till(channel, collector)


async def test_amount_reaches_each_destination_in_its_vocabulary_and_currency_or_says_why_not(till: Till) -> None:
    for at, (track, by_currency, _) in enumerate(TABLE):
        told = await till.outcomes(f"t{at}", track)
        wanted = {code: NOT_SENT + why if isinstance(why, str) else "" for code, why in by_currency.items()}
        assert told == dict.fromkeys(OPTIMIZELY, "") | {"segment": ""} | wanted, track
    assert await flush(till.channel) == {}

    for code in OPTIMIZELY:
        visitors = [visitor for body in till.bodies(f"/{code}") for visitor in body["visitors"]]
        assert len(visitors) == len(TABLE)
        for (track, by_currency, _), visitor in zip(TABLE, visitors, strict=True):
            (event,) = visitor["snapshots"][0]["events"]
            amount = by_currency.get(code)
            expected = amount if isinstance(amount, int) else None
            assert (event.get("revenue"), event.get("tags", {}).get("revenue")) == (expected, expected), track
            assert type(event.get("revenue")) is type(expected), "a whole number, as Optimizely counts no other"

    messages = [message for body in till.bodies("/segment") for message in body["batch"]]
    for (track, _, properties), message in zip(TABLE, messages, strict=True):
        said_ = {key: str(value) for key, value in message["properties"].items() if key in ("revenue", "currency")}
        assert said_ == properties, track


async def test_contradiction_and_what_is_no_amount_are_refused_by_name_and_stored_nowhere(till: Till) -> None:
    for at, (track, field) in enumerate(REFUSED):
        with pytest.raises(grpc.RpcError) as refused:
            await till.outcomes(f"r{at}", track)
        answer = said(refused.value)
        assert (answer.code, answer.fields) == ("INVALID_ARGUMENT", [field]), track
    assert await flush(till.channel) == {}
    assert till.collector.received == []
