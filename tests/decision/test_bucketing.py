"""Properties of traffic: what every split must keep. Rules: docs/semantics.md B1 to B5."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.decision import User, bucket
from sidecar.decision.bucketing import BUCKETS, Ranges, ranges, utf8
from sidecar.decision.entities import Allocation
from tests.decision.building import build, everyone_else, rule, somebody, variation

ids = st.text(max_size=12)


def split(*ends: float) -> Ranges[str]:
    names = [f"v{index}" for index in range(len(ends))]
    allocations = [Allocation(name, end) for name, end in zip(names, ends, strict=True)]
    return ranges("exp", allocations, {name: name for name in names})


@given(ids, ids)
def test_a_bucket_is_always_within_its_bounds(bucketing_id: str, entity_id: str) -> None:
    assert 0 <= bucket(bucketing_id, entity_id) < BUCKETS


@given(ids, st.integers(0, BUCKETS), st.integers(0, BUCKETS))
def test_growing_the_last_range_moves_nobody_who_was_in_one(user_id: str, first: int, more: int) -> None:
    before = split(first, first + 1_000).choose(utf8(user_id))
    after = split(first, first + 1_000 + more).choose(utf8(user_id))
    assert before is None or before == after


@given(ids, st.lists(st.integers(0, BUCKETS), max_size=12))
def test_the_first_range_that_ends_past_the_bucket_wins(user_id: str, ends: list[int]) -> None:
    place = bucket(user_id, "exp")
    wanted = next((f"v{index}" for index, end in enumerate(ends) if place < end), None)
    assert split(*ends).choose(utf8(user_id)) == wanted


def test_a_user_without_a_utf8_form_is_still_decided() -> None:
    lone_surrogate = "\ud800"
    assert build().decide(somebody(lone_surrogate), "f").variation_key == "on"


def test_experiments_of_a_random_group_exclude_one_another() -> None:
    group = {
        "id": "g",
        "policy": "random",
        "trafficAllocation": [
            {"entityId": "700", "endOfRange": 5_000},
            {"entityId": "710", "endOfRange": 10_000},
        ],
        "experiments": [rule(), rule("710", "exp2")],
    }
    datafile = build(experiments=[], groups=[group])
    placements = [datafile.experiments[key] for key in ("exp", "exp2")]
    for index in range(200):
        user = somebody(f"u{index}")
        assert [placement.choose(user) is not None for placement in placements].count(True) == 1


def test_a_feature_rollout_gives_the_rest_of_its_traffic_to_the_last_delivery() -> None:
    half = [{"entityId": "701", "endOfRange": 5_000}]
    datafile = build(experiments=[rule(type="fr", trafficAllocation=half)])
    keys = {datafile.decide(somebody(f"u{index}"), "f").variation_key for index in range(100)}
    assert keys == {"on", "rest"}
    assert {datafile.decide(somebody(f"u{index}"), "f").rule_key for index in range(100)} == {"exp"}


def test_the_bucketing_id_moves_the_bucket_and_keeps_the_user_id() -> None:
    user = User("u", {"$opt_bucketing_id": "other"})
    assert (user.user_id, user.bucketing_id) == ("u", "other")
    assert User("u", {"$opt_bucketing_id": 5}).bucketing_id == "u"


def test_missed_traffic_of_a_delivery_goes_straight_to_the_last_rule() -> None:
    missed = rule("800", "first", trafficAllocation=[])
    between = rule("810", "second", trafficAllocation=[{"entityId": "811", "endOfRange": 10_000}])
    between["variations"] = [variation("811", "between")]
    rollout = {"id": "ro", "experiments": [missed, between, everyone_else()]}
    assert build(experiments=[], rollouts=[rollout]).decide(somebody(), "f").rule_key == "ee"
