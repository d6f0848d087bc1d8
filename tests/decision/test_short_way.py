"""The short way through a flag answers what the walk answers, object for object, and is taken where it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.decision import CompiledDatafile, User, load
from sidecar.decision.bucketing import bucket
from sidecar.decision.flags import CompiledFlag
from tests.decision.building import build, everyone_else, exact, holdout, rule, somebody

VECTORS = Path(__file__).parent.parent / "vectors"
USERS = [somebody(f"u{number}", x=value) for number in range(12) for value in ("yes", "no", None)]
WANTS_X = {"id": "1", "name": "x", "conditions": ["or", exact("x", "yes")]}


def only(datafile: CompiledDatafile) -> CompiledFlag:
    return datafile.flags["f"]


def has_short_way(flag: CompiledFlag) -> bool:
    return flag.plainly is not None


def traffic(*ends: float) -> list[dict[str, Any]]:
    """Ranges that end there, in turn for the first variation, for nobody and for the second."""
    return [{"entityId": ("701", "", "702")[at % 3], "endOfRange": end} for at, end in enumerate(sorted(ends))]


RULES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["Running", "Running", "Paused"]),
        "audienceIds": st.sampled_from([[], ["1"], ["gone"]]),
        "trafficAllocation": st.lists(
            st.integers(0, 10_000) | st.floats(0, 10_000) | st.sampled_from([-1, -0.5, 1e308, 10**400]), max_size=3
        ).map(lambda ends: traffic(*ends)),
        "forcedVariations": st.sampled_from([{}, {}, {"u3": "off"}]),
    }
)


@given(st.lists(RULES, max_size=3), st.lists(RULES, max_size=3), st.booleans(), st.booleans())
def test_it_answers_what_the_walk_answers(
    experiments: list[dict[str, Any]], deliveries: list[dict[str, Any]], held: bool, last: bool
) -> None:
    tests = [rule(f"6{at}", f"test-{at}", **changes) for at, changes in enumerate(experiments)]
    rollout = [rule(f"8{at}", f"delivery-{at}", **changes) for at, changes in enumerate(deliveries)]
    datafile = build(
        experiments=tests,
        rollouts=[{"id": "ro", "experiments": [*rollout, everyone_else()] if last else rollout}],
        featureFlags=[{"id": "1", "key": "f", "experimentIds": [one["id"] for one in tests], "rolloutId": "ro"}],
        typedAudiences=[WANTS_X],
        holdouts=[holdout()] if held else [],
    )
    flag = only(datafile)
    fixed = any(one["forcedVariations"] and one["status"] == "Running" for one in tests)
    if held or fixed:
        assert not has_short_way(flag)
    for user in USERS:
        assert flag.decide(user) is flag.walk(user)


def test_a_bucket_in_which_a_range_ends_is_that_ranges_whole() -> None:
    # Each user's own bucket is cut in two: the first range ends within it, and so holds all of it (B2).
    for number in range(200):
        user = User(f"user-{number}")
        place = bucket(user.user_id, "700")
        halved = only(build(experiments=[rule(trafficAllocation=traffic(place + 0.5, place + 0.75, 10_000))]))
        assert has_short_way(halved)
        assert halved.decide(user).variation_key == halved.walk(user).variation_key == "on"


def test_every_flag_of_a_usual_datafile_has_one() -> None:
    datafile = load((VECTORS / "datafile_20_flags.json").read_bytes())
    for flag in datafile.flags.values():
        assert has_short_way(flag)
        for number in range(500):
            user = User(f"user-{number}", {"country": ("us", "de", 3)[number % 3], "age": number % 60})
            assert flag.decide(user) is flag.walk(user)


@pytest.mark.parametrize(
    "set_for_them",
    [
        {"forced_decisions": {("f", ""): "off"}},
        {"forced_decisions": {("f", "exp"): "off"}},
        {"forced_variations": {"700": "702"}},
        {"profile": {"700": "702"}},
    ],
)
def test_a_user_for_whom_something_is_set_takes_the_walk(set_for_them: dict[str, Any]) -> None:
    flag = only(build())
    user = User("u", {}, **set_for_them)
    assert has_short_way(flag)
    assert flag.decide(user).variation_key == "off"


@pytest.mark.parametrize(
    "changes",
    [
        {"experiments": [rule(forcedVariations={"u": "off"})]},
        {
            "experiments": [],
            "groups": [{"id": "g", "policy": "random", "experiments": [rule()], "trafficAllocation": []}],
        },
        {"experiments": [rule(cmab={"attributeIds": [], "trafficAllocation": 5_000})]},
        {"holdouts": [holdout()]},
    ],
    ids=["whitelist", "group", "contextual bandit", "holdout"],
)
def test_what_more_than_audience_and_traffic_decides_has_none(changes: dict[str, Any]) -> None:
    assert has_short_way(only(build()))
    assert not has_short_way(only(build(**changes)))
