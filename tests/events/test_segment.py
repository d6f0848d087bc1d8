"""The Batch API's wire form, against values written by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar import __version__
from sidecar.events import segment
from sidecar.events.model import Event
from sidecar.limits import DEPTH_MAX
from sidecar.values import Money
from tests.events.samples import (
    EVENT_ID,
    TIME,
    TIME_MS,
    a_group,
    a_page,
    a_screen,
    a_track,
    an_alias,
    an_identify,
    an_impression,
    one_of_each,
)
from tests.events.test_optimizely import VALUES

LIBRARY = {"name": "decision-sidecar", "version": __version__}
CONTEXT = {"channel": "server", "library": LIBRARY}
COMMON = {"messageId": EVENT_ID, "timestamp": TIME, "userId": "ada", "context": CONTEXT}


def said(event: Event, currency: str = "USD") -> Any:
    return json.loads(segment.message(event, currency))


@pytest.mark.parametrize(
    ("event", "own"),
    [
        (a_track(properties={"sku": "s"}), {"type": "track", "event": "purchase", "properties": {"sku": "s"}}),
        (an_identify(), {"type": "identify", "traits": {"email": "ada@example.com"}}),
        (
            a_page(),
            {
                "type": "page",
                "name": "Docs",
                "category": "help",
                "properties": {"url": "/docs", "name": "Docs", "category": "help"},
            },
        ),
        (a_screen(), {"type": "screen", "name": "Home", "properties": {"tab": 1, "name": "Home"}}),
        (a_group(), {"type": "group", "groupId": "acme", "traits": {"plan": "gold"}}),
        (an_alias(), {"type": "alias", "previousId": "anonymous-1"}),
        (
            an_impression(),
            {
                "type": "track",
                "event": "Experiment Viewed",
                "properties": {
                    "experiment_id": "700",
                    "experiment_name": "exp_a",
                    "variation_id": "701",
                    "variation_name": "on",
                    "flag_key": "checkout",
                    "rule_key": "exp_a",
                    "rule_type": "feature-test",
                    "enabled": True,
                },
            },
        ),
    ],
)
def test_each_call_has_its_message(event: Event, own: dict[str, Any]) -> None:
    assert said(event) == COMMON | own


def test_absent_ids_are_absent_and_never_null() -> None:
    message = said(a_track(user_id="", anonymous_id="anon"))
    assert "userId" not in message
    assert message["anonymousId"] == "anon"


def test_integrations_are_hoisted_out_of_the_context_and_the_top_level_wins() -> None:
    message = said(
        a_track(
            context={"ip": "::1", "integrations": {"All": True, "Mixpanel": False, "mixpanel": {"a": [1]}}},
            integrations={"All": False},
        )
    )
    assert message["integrations"] == {"All": False, "Mixpanel": False, "mixpanel": {"a": [1]}}
    assert message["context"] == {"ip": "::1", **CONTEXT}


def test_the_callers_library_stays_and_ours_stands_beside_it() -> None:
    theirs = {"name": "analytics-node", "version": "3.1.0"}
    context = said(a_track(context={"library": theirs}))["context"]
    assert context == {"channel": "server", "library": theirs, "sidecar": LIBRARY}


def test_the_callers_channel_stays() -> None:
    assert said(a_track(context={"channel": "mobile"}))["context"] == {"channel": "mobile", "library": LIBRARY}


@pytest.mark.parametrize("event", one_of_each()[1:], ids=lambda event: type(event).__name__)
def test_every_call_carries_the_common_fields(event: Any) -> None:
    context = {"ip": "::1", "traits": {"plan": "gold"}, "groupId": "g", "direct": True, "shippingMethod": "2-day"}
    origin = replace(
        event.origin, anonymous_id="anon", context=context, integrations={"All": False, "Vero": {"tag": [1]}}
    )
    message = said(replace(event, origin=origin))
    assert (message["userId"], message["anonymousId"]) == ("ada", "anon")
    assert (message["messageId"], message["timestamp"]) == (EVENT_ID, TIME)
    assert message["context"] == context | CONTEXT, "keys that nobody knows pass"
    assert message["integrations"] == {"All": False, "Vero": {"tag": [1]}}


def test_what_segment_itself_adds_is_not_said() -> None:
    """`sentAt` is the batch's; the others are Segment's to make (its common fields)."""
    for event in one_of_each():
        assert not {"sentAt", "originalTimestamp", "receivedAt", "version", "writeKey"} & set(said(event))


@pytest.mark.parametrize("event", [a_page(name="", category=""), a_screen(name="")])
def test_a_page_or_screen_without_a_name_says_none(event: Event) -> None:
    message = said(event)
    assert not {"name", "category"} & {*message, *message["properties"]}


def test_the_callers_own_name_among_the_properties_stays_there() -> None:
    message = said(a_page(properties={"name": "inner"}))
    assert (message["name"], message["properties"]["name"]) == ("Docs", "inner")


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for level in range(depth):
        value = {"k": value} if level % 2 else [value]
    return value


@pytest.mark.parametrize(
    ("make", "field"),
    [(an_identify, "traits"), (a_group, "traits"), (a_page, "properties"), (a_track, "properties")],
)
def test_values_go_as_deep_as_a_call_takes_them(make: Any, field: str) -> None:
    assert said(make(**{field: {"deep": nested(DEPTH_MAX)}}))[field]["deep"] == nested(DEPTH_MAX)


@pytest.mark.parametrize(
    ("time_ms", "timestamp"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_772_366_400_007, "2026-03-01T12:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_timestamps_are_iso_8601_in_utc_with_milliseconds(time_ms: int, timestamp: str) -> None:
    assert said(a_track(time_ms=time_ms))["timestamp"] == timestamp


def test_a_time_beyond_the_calendar_has_no_form() -> None:
    with pytest.raises(ValueError, match="wanted a year between 1 and 9999"):
        said(a_track(time_ms=10**18))


@pytest.mark.parametrize(
    ("changed", "properties"),
    [
        ({"revenue": Money(Decimal("19.99"), "EUR")}, {"revenue": 19.99, "currency": "EUR"}),
        ({"event_tags": {"revenue": 1999}}, {"revenue": 19.99, "currency": "CHF"}),
        ({"event_tags": {"revenue": 5}, "properties": {"currency": "JPY"}}, {"revenue": 5, "currency": "JPY"}),
        ({"event_tags": {"revenue": 5}, "properties": {"currency": "BTC"}}, {"currency": "BTC"}),
        ({"event_tags": {"value": "5.5", "sku": "s"}}, {"value": 5.5, "sku": "s"}),
        ({"properties": {"revenue": "19.99"}}, {"revenue": "19.99"}),
        ({"properties": {"revenue": 19.99}, "event_tags": {"revenue": 1999}}, {"revenue": 19.99}),
        ({"event_tags": {"a": 1, "b": 1}, "properties": {"a": 2}}, {"a": 2, "b": 1}),
    ],
)
def test_amounts_and_tags_are_said_in_segments_vocabulary(changed: dict[str, Any], properties: dict[str, Any]) -> None:
    assert said(a_track(**changed), "CHF")["properties"] == properties


def test_an_amount_keeps_every_digit() -> None:
    body = segment.message(a_track(revenue=Money(Decimal("12345678901234567890.12"), "USD")), "USD")
    assert b'"revenue":12345678901234567890.12' in body


def test_an_integer_beyond_two_to_the_53_keeps_every_digit() -> None:
    assert said(an_identify(traits={"n": 2**53 + 1}))["traits"] == {"n": 2**53 + 1}


def test_what_json_cannot_say_is_null() -> None:
    traits = {"n": float("nan"), "l": [float("inf"), 1.5], "m": {"x": float("-inf")}}
    assert said(an_identify(traits=traits))["traits"] == {"n": None, "l": [None, 1.5], "m": {"x": None}}


def test_the_envelope_has_the_time_of_sending() -> None:
    head, tail = segment.envelope(TIME_MS)
    assert json.loads(head + b"1" + tail) == {"batch": [1], "sentAt": TIME}


@given(st.dictionaries(st.text(max_size=8), VALUES), st.dictionaries(st.text(max_size=8), VALUES), st.text(max_size=20))
def test_the_bound_of_a_message_is_never_below_it(values: dict[str, Any], context: dict[str, Any], user: str) -> None:
    events: list[Event] = [
        a_track(properties=values, event_tags=values, context=context, user_id=user, anonymous_id=user),
        a_page(properties=values, name=user, category=user, context=context),
        an_identify(traits=values, integrations=values),
    ]
    for event in [*events, *one_of_each()]:
        assert len(segment.message(event, "USD")) <= segment.message_bytes_at_most(event)
