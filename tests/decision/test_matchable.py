"""An audience that nobody can match is named, and never one that somebody can."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.decision import User
from sidecar.decision.audience_tree import AudienceTrees
from sidecar.decision.matchable import nobody_matches
from tests.decision.building import build, exact, rule
from tests.decision.test_vectors import cases


def leaf(match: str, value: Any = None, name: str = "x") -> dict[str, Any]:
    return {"type": "custom_attribute", "match": match, "name": name, "value": value}


def nobody(conditions: Any) -> bool:
    datafile = build(typedAudiences=[{"id": "1", "name": "a", "conditions": conditions}])
    return nobody_matches(AudienceTrees(datafile.source).of_audience("1"))


@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param(["or"], id="empty or"),
        pytest.param([], id="empty list"),
        pytest.param(["not"], id="empty not"),
        pytest.param(["and", exact("x", "a"), exact("x", "b")], id="two texts"),
        pytest.param(["and", exact("x", 1), exact("x", 2)], id="two numbers"),
        pytest.param(["and", exact("x", 1), exact("x", True)], id="a number and a boolean"),
        pytest.param(["and", exact("x", "a"), ["not", exact("x", "a")]], id="a text and not it"),
        pytest.param(["and", leaf("gt", 10), leaf("lt", 10)], id="above and below one number"),
        pytest.param(["and", leaf("gt", 10), leaf("le", 10)], id="above and up to one number"),
        pytest.param(["and", leaf("ge", 11), leaf("lt", 10)], id="bounds crossed"),
        pytest.param(["and", leaf("gt", 5), ["not", leaf("gt", 3)]], id="a bound and its negation"),
        pytest.param(["and", leaf("gt", 5), exact("x", 5)], id="a number outside of a bound"),
        pytest.param(["and", leaf("gt", 5), exact("x", "5")], id="a number and a text"),
        pytest.param(["and", leaf("ge", 5), leaf("le", 5), ["not", exact("x", 5)]], id="the one number left is out"),
        pytest.param(["and", leaf("substring", "b"), exact("x", "a")], id="a text without its part"),
        pytest.param(["and", leaf("substring", "abc"), ["not", leaf("substring", "b")]], id="a part of a part"),
        pytest.param(["not", leaf("substring", "")], id="a text without the empty one"),
        pytest.param(["and", ["not", leaf("exists")], exact("x", "a")], id="absent and equal"),
        pytest.param(["and", ["not", leaf("exists")], ["not", exact("x", "a")]], id="absent is unknown"),
        pytest.param(["not", ["or", exact("x", "a"), ["not", exact("x", "a")]]], id="neither it nor its negation"),
        pytest.param(["and", ["or", exact("x", "a"), exact("x", "b")], exact("x", "c")], id="outside of a list"),
        pytest.param(["and", leaf("qualified", "s"), ["not", leaf("qualified", "s")]], id="in and out of a segment"),
        pytest.param(leaf("nope", 1), id="unknown match"),
        pytest.param(["not", leaf("nope", 1)], id="not unknown"),
        pytest.param(["nope", exact("x", 1)], id="unknown operator"),
        pytest.param(leaf("gt", 2**53), id="above all numbers"),
    ],
)
def test_nobody_matches(conditions: Any) -> None:
    assert nobody(conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param(["and"], id="empty and"),
        pytest.param(["and", exact("x", "a"), exact("y", "b")], id="two attributes"),
        pytest.param(["or", exact("x", "a"), exact("x", "b")], id="either"),
        pytest.param(["and", exact("x", 1), exact("x", 1.0)], id="one number written twice"),
        pytest.param(["and", leaf("ge", 10), leaf("le", 10)], id="exactly one number"),
        pytest.param(["and", leaf("gt", 10), leaf("lt", 10.5)], id="between"),
        pytest.param(["and", leaf("exists"), exact("x", "a")], id="there and equal"),
        pytest.param(["and", leaf("exists"), ["not", exact("x", "a")]], id="there and another"),
        pytest.param(["not", leaf("exists")], id="absent"),
        pytest.param(["and", leaf("qualified", "s"), ["not", leaf("qualified", "t")]], id="two segments"),
        pytest.param(["or", leaf("nope", 1), exact("x", 1)], id="unknown or known"),
        pytest.param(leaf("le", -(2**53)), id="the least number"),
    ],
)
def test_somebody_may_match(conditions: Any) -> None:
    assert not nobody(conditions)


def test_a_search_that_takes_too_long_accuses_nobody() -> None:
    lists = [["or", *(exact(f"x{at}", str(n)) for n in range(10))] for at in range(5)]
    assert not nobody(["and", exact("x", "a"), exact("x", "b"), *lists])


def test_a_long_list_is_not_too_long() -> None:
    assert nobody(["and", ["or", *(exact("x", str(n)) for n in range(500))], exact("x", "none of them")])


VALUES = st.sampled_from(["", "a", "ab", "1.0", 0, 1, 1.0, 2, -1.5, True, False, 2**53])
LEAVES = st.builds(
    leaf,
    st.sampled_from(["exact", "exists", "substring", "gt", "ge", "lt", "le", "semver_eq", "semver_gt", "qualified"]),
    VALUES,
    st.sampled_from(["x", "y"]),
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(
        lambda name, operands: [name, *operands],
        st.sampled_from(["and", "and", "or", "not"]),
        st.lists(below, min_size=1, max_size=4),
    ),
    max_leaves=8,
)
SEEN = st.one_of(VALUES, st.none(), st.just([1]), st.just("1.1"))


@given(TREES, st.lists(st.dictionaries(st.sampled_from(["x", "y"]), SEEN), min_size=20, max_size=20))
def test_whoever_matches_refutes_it(conditions: Any, users: list[dict[str, Any]]) -> None:
    datafile = build(
        typedAudiences=[{"id": "1", "name": "a", "conditions": conditions}], experiments=[rule(audienceIds=["1"])]
    )
    admits = datafile.experiments["exp"].admits
    matched = [user for user in users if admits(User("u", user, frozenset(["a"])))]
    assert not (matched and nobody_matches(AudienceTrees(datafile.source).of_audience("1")))


def test_no_vector_in_which_somebody_matches_is_accused() -> None:
    accused = 0
    for case in cases("conditions"):
        if case["expect"] == "datafile rejected":
            continue
        audiences = case["datafile"]["typedAudiences"] or case["datafile"]["audiences"]
        conditions = audiences[0]["conditions"] if audiences else []
        impossible = nobody(json.loads(conditions) if isinstance(conditions, str) else conditions)
        accused += impossible
        assert not (impossible and case["expect"]["variation_key"] == "hit"), case["name"]
    assert accused
