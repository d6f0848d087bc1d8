"""A datafile in words. Rules: docs/semantics.md G1, G2."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.decision import User
from sidecar.decision.conditions import OPERATORS
from sidecar.decision.description import tree_in_words
from sidecar.decision.explaining import explain
from tests.decision.building import build, exact, flag, rule

NAMES = {"1": "aud1", "2": "aud2", "3": "aud3"}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], ""),
        (["1"], '"aud1"'),
        (["1", "2"], '"aud1" OR "aud2"'),
        (["and", "1", ["or", "2", "3"]], '"aud1" AND ("aud2" OR "aud3")'),
        (["and", ["or", "1", "2"], ["or", "2", "3"]], '("aud1" OR "aud2") AND ("aud2" OR "aud3")'),
        (["not", ["and", "1", "2"]], 'NOT ("aud1" AND "aud2")'),
        (["or", ["and", "1", "2"]], '"aud1" AND "aud2"'),
        (["or", ["not", "1"], "9"], 'NOT "aud1" OR "9"'),
    ],
)
def test_conditions_read_as_a_sentence(tree: Any, words: str) -> None:
    assert tree_in_words(tree, lambda leaf: f'"{NAMES.get(leaf, leaf)}"', OPERATORS.__contains__) == words


def test_a_description_lists_rules_in_the_order_asked() -> None:
    audience = {"id": "1", "name": "aud1", "conditions": ["and", exact("x", "s"), exact("y", 2)]}
    variables = [{"id": "k1", "key": "k", "type": "string", "subType": "json", "defaultValue": "{}"}]
    described = build(
        typedAudiences=[audience],
        experiments=[rule(audienceIds=["1"])],
        featureFlags=[flag(variables=variables)],
    ).describe()
    (one,) = described.flags
    assert [(part.key, part.rule_type, part.audiences) for part in one.rules] == [
        ("exp", "feature-test", '"aud1"'),
        ("ee", "rollout", ""),
    ]
    assert [(part.key, part.type, part.default_value) for part in one.variables] == [("k", "json", "{}")]
    assert [(part.name, part.conditions) for part in described.audiences] == [("aud1", '`x` exact "s" AND `y` exact 2')]
    assert (described.events, described.attributes) == ({"ev": "e1"}, {"x": "a1"})


@pytest.mark.parametrize("end", [10_000, 9_999.5, 1e300, 10**400], ids=["all", "half", "float", "digits"])
def test_a_range_may_end_at_any_number(end: float) -> None:
    placed = build(experiments=[rule(trafficAllocation=[{"entityId": "701", "endOfRange": end}])])
    (one,) = placed.describe().flags
    assert [(arm.key, arm.traffic) for arm in one.rules[0].variations] == [("on", 10_000), ("off", 0)]
    asked = explain(placed, User("u"), "f").rules[0]
    assert asked.bucketing is not None
    assert [(span.start, span.end) for span in asked.bucketing.ranges] == [(0, 10_000)]
