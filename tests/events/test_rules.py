"""Rules over events: filters, the sample, and the shape in which an event leaves."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from decimal import Decimal
from typing import Any

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config import Secret
from sidecar.decision.bucketing import bucket
from sidecar.destinations.rules import RulesSection
from sidecar.events.model import EventKind, Track, kind_of
from sidecar.events.rules import SAMPLE_SEED, Rules, has_user, merged
from sidecar.values import Money
from tests.events.samples import (
    a_group,
    a_page,
    a_track,
    an_alias,
    an_identify,
    an_impression,
    one_of_each,
)
from tests.events.test_optimizely import VALUES

KEY = "a-key-of-32-bytes-for-the-hashes"


def rules(**section: Any) -> Rules:
    if "hash" in section:
        section["hash_key"] = Secret(KEY)
    return RulesSection(**section).compiled()


def hashed(text: str) -> str:
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


# --- filters ----------------------------------------------------------------------------------------------------------


def passes(one: Rules, event: Any) -> bool:
    return one.want(kind_of(event), event.event_key if isinstance(event, Track) else "")


@pytest.mark.parametrize(
    ("section", "passed"),
    [
        ({}, ["purchase", "checkout_begun", "check"]),
        ({"allow_events": ("purchase",)}, ["purchase"]),
        ({"allow_events": ("check*",)}, ["checkout_begun", "check"]),
        ({"allow_events": ("checkout_*", "purchase")}, ["purchase", "checkout_begun"]),
        ({"deny_events": ("checkout_*",)}, ["purchase", "check"]),
        ({"allow_events": ("*",), "deny_events": ("purchase",)}, ["checkout_begun", "check"]),
        ({"allow_events": ("Purchase",)}, []),
    ],
)
def test_event_keys_are_allowed_and_denied_and_denied_wins(section: dict[str, Any], passed: list[str]) -> None:
    one = rules(**section)
    assert [key for key in ("purchase", "checkout_begun", "check") if passes(one, a_track(event_key=key))] == passed


def test_event_keys_hold_back_no_other_kind() -> None:
    one = rules(allow_events=("other",))
    assert [kind_of(event) for event in one_of_each() if not passes(one, event)] == [EventKind.TRACK]


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ({"allow_kinds": (EventKind.TRACK, EventKind.PAGE)}, {"track", "page"}),
        ({"deny_kinds": (EventKind.TRACK,)}, {"impression", "identify", "page", "screen", "group", "alias"}),
        ({"allow_kinds": (EventKind.TRACK, EventKind.PAGE), "deny_kinds": (EventKind.PAGE,)}, {"track"}),
    ],
)
def test_kinds_are_allowed_and_denied_and_denied_wins(section: dict[str, Any], kinds: set[str]) -> None:
    one = rules(**section)
    assert {kind_of(event).value for event in one_of_each() if passes(one, event)} == kinds


# --- the sample -------------------------------------------------------------------------------------------------------

USERS = [f"user-{number}" for number in range(20_000)]


def sampled(percent: float, salt: str = "") -> set[str]:
    one = rules(sample_percent=percent, sample_salt=salt)
    return {user for user in USERS if one.sample(a_track(user_id=user))}


@pytest.mark.parametrize("percent", [0.5, 12.5, 50.0, 99.9])
def test_sample_holds_its_share_of_users(percent: float) -> None:
    expected = len(USERS) * percent / 100
    # Four standard deviations; the users are always the same, so this cannot pass by chance and then fail.
    assert abs(len(sampled(percent)) - expected) <= 4 * (expected * (1 - percent / 100)) ** 0.5


def test_sample_of_nobody_and_of_everybody_are_exact() -> None:
    assert sampled(0) == set()
    assert sampled(100) == set(USERS)


def test_larger_sample_holds_everybody_of_a_smaller_one() -> None:
    assert sampled(1) < sampled(10) < sampled(10.5) < sampled(60)


def test_another_salt_samples_other_users_independently() -> None:
    both = sampled(50) & sampled(50, "autumn")
    assert 4_700 < len(both) < 5_300


def test_sample_is_of_the_user_id_else_the_anonymous_id_whatever_the_kind() -> None:
    one = rules(sample_percent=50)
    for user in USERS[:200]:
        known = {one.sample(make(user_id=user, anonymous_id="x")) for make in (a_track, an_identify, an_impression)}
        assert known == {one.sample(a_track(user_id="", anonymous_id=user))}


def test_sample_is_the_documented_hash() -> None:
    for user in USERS[:500]:
        value = mmh3.hash(f"s:{user}", seed=1_396_788_560, signed=False)
        one = rules(sample_percent=25, sample_salt="s")
        assert one.sample(a_track(user_id=user)) == (value < 2**32 * 0.25)
    assert SAMPLE_SEED == 1_396_788_560


def test_sample_holds_its_share_of_every_variation() -> None:
    """Whatever bucket Optimizely's hash gives a user, the chance to be in the sample is the same."""
    inside = sampled(20)
    by_tenth = Counter(bucket(user, "1886780721") // 1_000 for user in inside)
    assert all(320 < by_tenth[tenth] < 480 for tenth in range(10)), by_tenth


@given(st.text())
def test_whatever_the_id_is_it_is_in_or_out(user: str) -> None:
    one = rules(sample_percent=50)
    assert one.sample(a_track(user_id=user, anonymous_id="x")) == one.sample(a_track(user_id=user, anonymous_id="x"))


# --- the shape --------------------------------------------------------------------------------------------------------


def test_ids_are_hashed_wherever_they_stand() -> None:
    one = rules(hash=("user_id", "anonymous_id", "previous_id", "group_id", "traits.email"))
    alias: Any = one.reshaped(an_alias(user_id="ada", anonymous_id="anon"))
    group: Any = one.reshaped(a_group())
    identify: Any = one.reshaped(an_identify())
    assert (alias.origin.user_id, alias.origin.anonymous_id) == (hashed("ada"), hashed("anon"))
    assert alias.previous_id == hashed("anonymous-1")
    assert group.group_id == hashed("acme")
    assert identify.traits == {"email": hashed("ada@example.com")}
    assert one.reshaped(a_track(anonymous_id="")).origin.anonymous_id == "", "an absent id stays absent"


@pytest.mark.parametrize(
    ("value", "said"), [("é", "é"), ("", ""), (42, "42"), (-1, "-1"), (True, "true"), (4.5, "4.5"), (5.0, "5.0")]
)
def test_hash_is_hmac_sha256_of_the_text_or_the_json(value: Any, said: str) -> None:
    assert rules(hash=("traits.x",)).hashed(value) == hashed(said)


def test_hash_of_a_map_or_list_is_of_each_scalar_in_it() -> None:
    shaped: Any = rules(hash=("traits.address", "traits.phones")).reshaped(
        an_identify(traits={"address": {"city": "Graz", "geo": [1, None]}, "phones": ["1", float("nan")], "plan": "x"})
    )
    assert shaped.traits == {
        "address": {"city": hashed("Graz"), "geo": [hashed("1"), None]},
        "phones": [hashed("1"), None],
        "plan": "x",
    }


def test_another_key_makes_other_hashes() -> None:
    other = RulesSection(hash=("user_id",), hash_key=Secret("another-key-of-enough-bytes")).compiled()
    assert other.hashed("ada") != rules(hash=("user_id",)).hashed("ada")


def test_dropped_paths_are_gone_from_every_kind_that_has_them() -> None:
    one = rules(drop=("context.ip", "properties.products[].cost", "anonymous_id", "revenue", "event_tags", "name"))
    track: Any = one.reshaped(
        a_track(
            anonymous_id="anon",
            context={"ip": "::1", "locale": "de"},
            properties={"products": [{"cost": 1, "sku": "a"}, {"sku": "b"}]},
            event_tags={"revenue": 1},
            revenue=Money(Decimal(1), "USD"),
        )
    )
    assert track.properties == {"products": [{"sku": "a"}, {"sku": "b"}]}
    assert (track.origin.context, track.origin.anonymous_id, track.revenue) == ({"locale": "de"}, "", None)
    assert track.event_tags == {}
    page: Any = one.reshaped(a_page(context={"ip": "::1"}))
    assert (page.name, page.category, page.origin.context) == ("", "help", {})


def test_renamed_keys_take_the_place_of_one_of_that_name() -> None:
    one = rules(rename={"traits.mail": "email", "context.app.ver": "version"})
    shaped: Any = one.reshaped(an_identify(traits={"email": "old", "mail": "new"}, context={"app": {"ver": 1}}))
    assert shaped.traits == {"email": "new"}
    assert shaped.origin.context == {"app": {"version": 1}}


def test_constant_context_gives_way_to_the_events_own() -> None:
    one = rules(context={"app": {"name": "shop", "build": 7}, "service": "checkout"})
    assert one.reshaped(a_track()).origin.context == {"app": {"name": "shop", "build": 7}, "service": "checkout"}
    own = one.reshaped(a_track(context={"app": {"build": 8}, "service": None, "ip": "::1"})).origin.context
    assert own == {"app": {"name": "shop", "build": 8}, "service": None, "ip": "::1"}


def test_no_rule_changes_the_callers_integrations() -> None:
    context = {"integrations": {"All": False}, "ip": "::1"}
    for one in (rules(drop=("context.*",)), rules(drop=("context",)), rules(hash=("context",))):
        assert one.reshaped(a_track(context=context)).origin.context["integrations"] == {"All": False}


def test_event_that_no_rule_reaches_is_the_same_object() -> None:
    one = rules(drop=("traits.email",))
    track = a_track()
    assert one.reshaped(track) is track


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (a_track(anonymous_id="anon"), True),
        (a_track(), False),
        (an_alias(anonymous_id="anon"), False),
        (an_impression(), False),
    ],
)
def test_event_whose_only_id_is_dropped_has_no_user(event: Any, left: bool) -> None:
    assert has_user(rules(drop=("user_id",)).reshaped(event)) is left


@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.dictionaries(st.sampled_from("abc"), VALUES))
def test_event_in_its_shape_is_the_same_each_time_and_reads_as_what_came(
    properties: dict[str, Any], context: dict[str, Any]
) -> None:
    one = rules(
        drop=("properties.a.b",), hash=("properties.b", "context.*"), rename={"properties.c": "d"}, context={"a": {}}
    )
    track = a_track(properties=properties, context=context)
    shaped: Any = one.reshaped(track)
    assert repr(shaped) == repr(one.reshaped(track))
    assert ("c" in properties) == ("d" in shaped.properties)
    assert set(shaped.origin.context) == {*context, "a"}


@given(st.dictionaries(st.sampled_from("ab"), VALUES), st.dictionaries(st.sampled_from("ab"), VALUES))
def test_merged_maps_have_every_key_and_the_upper_value(below: dict[str, Any], above: dict[str, Any]) -> None:
    both = merged(below, above)
    assert set(both) == {*below, *above}
    for key, value in above.items():
        if not isinstance(value, dict):
            assert repr(both[key]) == repr(value)
