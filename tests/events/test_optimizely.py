"""The Event API's wire form, against values written by hand."""

from __future__ import annotations

import dataclasses
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar import __version__
from sidecar.events import optimizely
from sidecar.events.identity import NAMESPACE
from sidecar.events.optimizely import conversion_tags
from sidecar.values import Money
from tests.events.samples import EVENT_ID, FACTS, TIME_MS, a_track, an_impression


def impression(facts: Any = FACTS, **changed: Any) -> Any:
    return json.loads(optimizely.impression(an_impression(**changed), facts))


def conversion(facts: Any = FACTS, currency: str = "USD", **changed: Any) -> Any:
    return json.loads(optimizely.conversion(a_track(**changed), facts, currency))


def test_an_impression_is_a_visitor_with_one_decision_and_one_event() -> None:
    assert impression(attributes={"plan": "gold"}) == {
        "visitor_id": "ada",
        "attributes": [{"entity_id": "a1", "key": "plan", "type": "custom", "value": "gold"}],
        "snapshots": [
            {
                "decisions": [
                    {
                        "campaign_id": "L7",
                        "experiment_id": "700",
                        "variation_id": "701",
                        "metadata": {
                            "flag_key": "checkout",
                            "rule_key": "exp_a",
                            "rule_type": "feature-test",
                            "variation_key": "on",
                            "enabled": True,
                        },
                    }
                ],
                "events": [
                    {
                        "entity_id": "L7",
                        "uuid": EVENT_ID,
                        "key": "campaign_activated",
                        "timestamp": TIME_MS,
                    }
                ],
            }
        ],
    }


def test_an_impression_of_no_decision_says_so_with_empty_ids_and_null() -> None:
    nothing = dict.fromkeys(
        ("rule_key", "variation_key", "campaign_id", "experiment_id", "experiment_key", "variation_id"), ""
    )
    snapshot = impression(**nothing, rule_type="rollout", enabled=False)["snapshots"][0]
    assert snapshot["decisions"][0] == {
        "campaign_id": "",
        "experiment_id": "",
        "variation_id": None,
        "metadata": {
            "flag_key": "checkout",
            "rule_key": "",
            "rule_type": "rollout",
            "variation_key": "",
            "enabled": False,
        },
    }
    assert snapshot["events"][0]["entity_id"] == ""


def test_an_empty_campaign_is_the_experiment() -> None:
    snapshot = impression(campaign_id="")["snapshots"][0]
    assert snapshot["decisions"][0]["campaign_id"] == snapshot["events"][0]["entity_id"] == "700"


@pytest.mark.parametrize("variation_id", ["", "7a", "-1", "7\n", "\u0667", "holdout_var"])
def test_a_variation_id_that_is_no_number_is_null(variation_id: str) -> None:
    assert impression(variation_id=variation_id)["snapshots"][0]["decisions"][0]["variation_id"] is None


def test_a_conversion_has_its_tags_and_amounts_and_no_decisions() -> None:
    said = conversion(event_tags={"revenue": 1999.0, "value": "5.5", "sku": "s-1", "gift": True, "none": None})
    assert said["snapshots"] == [
        {
            "events": [
                {
                    "entity_id": "e1",
                    "uuid": EVENT_ID,
                    "key": "purchase",
                    "timestamp": TIME_MS,
                    "revenue": 1999,
                    "value": 5.5,
                    "tags": {"sku": "s-1", "gift": True, "revenue": 1999, "value": 5.5},
                }
            ]
        }
    ]


def test_a_conversion_without_tags_has_no_such_field() -> None:
    [event] = conversion()["snapshots"][0]["events"]
    assert set(event) == {"entity_id", "uuid", "key", "timestamp"}


def test_properties_are_tags_too_and_event_tags_win() -> None:
    carried = conversion_tags(
        a_track(event_tags={"sku": "tag"}, properties={"sku": "property", "coupon": "c", "revenue": 19.99}), "USD"
    )
    assert carried.tags == {"sku": "tag", "coupon": "c", "revenue": 1999}
    assert (carried.revenue, carried.unsent) == (1999, "")


@pytest.mark.parametrize(
    ("changed", "unsent"),
    [
        ({"event_tags": {"list": [1], "map": {}, "ok": 1}}, "TAGS_NOT_SENT: list, map"),
        ({"event_tags": {"odd": float("nan"), "far": float("inf")}}, "TAGS_NOT_SENT: odd, far"),
        ({"revenue": Money(Decimal(5), "JPY")}, "REVENUE_NOT_SENT: JPY"),
        ({"revenue": Money(Decimal("5.001"), "USD")}, "REVENUE_NOT_SENT: fraction of a minor unit"),
        ({"revenue": Money(Decimal(2**63), "JPY")}, "REVENUE_NOT_SENT: JPY"),
        ({"revenue": Money(Decimal(2**63), "USD")}, "REVENUE_NOT_SENT: too large"),
        ({"properties": {"revenue": 1e300}}, "REVENUE_NOT_SENT: too large"),
        ({"properties": {"revenue": "much"}}, "REVENUE_NOT_SENT: no number"),
        ({"properties": {f"k{n}": [] for n in range(11)}}, "TAGS_NOT_SENT: k0, k1, k2, k3, k4, k5, k6, k7 and 3 more"),
    ],
)
def test_what_is_left_out_is_named(changed: dict[str, Any], unsent: str) -> None:
    carried = conversion_tags(a_track(**changed), "USD")
    assert carried.unsent == unsent
    assert carried.revenue is None
    assert "revenue" not in carried.tags


def test_a_track_that_the_revision_does_not_know_has_no_form() -> None:
    with pytest.raises(ValueError, match="event key `other` is not in revision `7`"):
        conversion(event_key="other")


def test_attributes_are_scalars_of_the_datafile_and_reserved_ones() -> None:
    given_ = {
        "plan": True,
        "age": 2**53,
        "unknown": 1,
        "$opt_user_agent": "curl",
        "$opt_bucketing_id": "b",
    }
    assert [(one["entity_id"], one["key"], one["value"]) for one in impression(attributes=given_)["attributes"]] == [
        ("a1", "plan", True),
        ("a2", "age", 2**53),
        ("$opt_user_agent", "$opt_user_agent", "curl"),
        ("$opt_bucketing_id", "$opt_bucketing_id", "b"),
    ]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, float("nan"), float("inf"), 2**53 + 1, -(2**53) - 1, 1e300])
def test_an_attribute_that_optimizely_cannot_take_is_left_out(value: Any) -> None:
    assert impression(attributes={"plan": value})["attributes"] == []


@pytest.mark.parametrize(("bot_filtering", "sent"), [(None, []), (True, [True]), (False, [False])])
def test_bot_filtering_is_said_when_the_datafile_says_it(bot_filtering: bool | None, sent: list[bool]) -> None:
    facts = dataclasses.replace(FACTS, bot_filtering=bot_filtering)
    for said in (impression(facts), conversion(facts)):
        assert [one["value"] for one in said["attributes"] if one["entity_id"] == "$opt_bot_filtering"] == sent


def test_the_visitor_is_the_user_else_the_anonymous_one() -> None:
    assert conversion(user_id="ada", anonymous_id="anon")["visitor_id"] == "ada"
    assert conversion(user_id="", anonymous_id="anon")["visitor_id"] == "anon"


def test_an_id_that_is_no_uuid_goes_as_its_uuid5() -> None:
    [event] = conversion(event_id="order-17")["snapshots"][0]["events"]
    assert event["uuid"] == str(uuid.uuid5(uuid.UUID(NAMESPACE), "order-17"))


def test_the_envelope_names_the_project_and_enriches_decisions() -> None:
    head, tail = optimizely.envelope(dataclasses.replace(FACTS, anonymize_ip=True))
    assert json.loads(head + b"1,2" + tail) == {
        "account_id": "222",
        "project_id": "111",
        "revision": "7",
        "client_name": "decision-sidecar",
        "client_version": __version__,
        "anonymize_ip": True,
        "enrich_decisions": True,
        "visitors": [1, 2],
    }


@pytest.mark.parametrize(
    "changed",
    [{"account_id": "x"}, {"project_id": "x"}, {"revision": "x"}, {"anonymize_ip": True}, {"region": "EU"}],
)
def test_what_the_envelope_says_parts_batches(changed: dict[str, Any]) -> None:
    assert optimizely.batch_key(dataclasses.replace(FACTS, **changed)) != optimizely.batch_key(FACTS)


def test_attributes_and_keys_do_not_part_batches() -> None:
    other = dataclasses.replace(FACTS, attribute_ids={}, event_ids={}, bot_filtering=True)
    assert optimizely.batch_key(other) == optimizely.batch_key(FACTS)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["plan", "age", "x", "$opt_y"]), VALUES),
    st.dictionaries(st.text(max_size=8), VALUES),
)
def test_whatever_the_event_holds_the_form_is_strict_json_with_scalars(
    attributes: dict[str, Any], properties: dict[str, Any]
) -> None:
    track = a_track(attributes=attributes, properties=properties)
    said = json.loads(
        optimizely.conversion(track, FACTS, "USD"), parse_constant=lambda word: pytest.fail(f"{word} in JSON")
    )
    [event] = said["snapshots"][0]["events"]
    for key, tag in event.get("tags", {}).items():
        assert isinstance(tag, str | bool | int | float)
        if key not in ("revenue", "value"):
            assert tag == properties[key]
