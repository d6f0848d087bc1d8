"""Our JSON event, against values written by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from sidecar.events.model import Event
from sidecar.events.plain import json_event
from sidecar.events.wire import event_bytes_at_most
from sidecar.values import Money
from tests.events.samples import (
    EVENT_ID,
    FACTS,
    TIME,
    a_group,
    a_page,
    a_screen,
    a_track,
    an_alias,
    an_identify,
    an_impression,
    one_of_each,
)

COMMON = {
    "schema_version": 1,
    "event_id": EVENT_ID,
    "time": TIME,
    "received_time": "2026-03-01T12:00:01.250Z",
    "user_id": "ada",
    "project": {"account_id": "222", "project_id": "111", "revision": "7"},
}


@pytest.mark.parametrize(
    ("event", "own"),
    [
        (
            an_impression(attributes={"plan": [1, None]}),
            {
                "kind": "impression",
                "decision_id": "d-1",
                "flag_key": "checkout",
                "rule_key": "exp_a",
                "rule_type": "feature-test",
                "variation_key": "on",
                "enabled": True,
                "campaign_id": "L7",
                "experiment_id": "700",
                "experiment_key": "exp_a",
                "variation_id": "701",
                "attributes": {"plan": [1, None]},
            },
        ),
        (
            a_track(event_tags={"revenue": 1}, properties={"p": {}}, revenue=Money(Decimal("0.010"), "USD")),
            {
                "kind": "track",
                "event_key": "purchase",
                "attributes": {},
                "event_tags": {"revenue": 1},
                "properties": {"p": {}},
                "revenue": {"amount": "0.010", "currency": "USD"},
            },
        ),
        (an_identify(), {"kind": "identify", "traits": {"email": "ada@example.com"}}),
        (a_page(), {"kind": "page", "name": "Docs", "category": "help", "properties": {"url": "/docs"}}),
        (a_screen(), {"kind": "screen", "name": "Home", "category": "", "properties": {"tab": 1}}),
        (a_group(), {"kind": "group", "group_id": "acme", "traits": {"plan": "gold"}}),
        (an_alias(), {"kind": "alias", "previous_id": "anonymous-1"}),
    ],
)
def test_each_kind_has_its_fields(event: Event, own: dict[str, Any]) -> None:
    assert json.loads(json_event(event, FACTS)) == COMMON | own


def test_the_common_part_has_what_the_event_has() -> None:
    event = an_identify(
        user_id="",
        anonymous_id="anon",
        datafile="shop",
        historical=True,
        context={"ip": "::1", "integrations": {"All": False}},
        integrations={"A": True},
    )
    said = json.loads(json_event(event, None))
    assert "project" not in said
    assert "user_id" not in said
    assert (said["anonymous_id"], said["datafile"], said["historical"]) == ("anon", "shop", True)
    assert (said["context"], said["integrations"]) == ({"ip": "::1"}, {"All": False, "A": True})


def test_it_is_one_line_whatever_the_texts_hold() -> None:
    body = json_event(an_identify(traits={"t": "a\nb\r\x85\u2028"}), FACTS)
    assert b"\n" not in body
    assert b"\r" not in body


def test_the_bound_of_an_event_is_never_below_it() -> None:
    for event in one_of_each():
        assert len(json_event(event, FACTS)) <= event_bytes_at_most(event)
