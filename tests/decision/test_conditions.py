"""Conditions against the Python SDK as oracle. Rules: docs/semantics.md C1 to C13."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from optimizely.helpers import condition, condition_tree_evaluator
from optimizely.logger import NoOpLogger

from sidecar.decision import semver
from sidecar.decision.conditions import compile_audience
from sidecar.values import Value

MATCHES = [
    "exact",
    "exists",
    "gt",
    "ge",
    "lt",
    "le",
    "substring",
    "qualified",
    "like",
    None,
    "semver_eq",
    "semver_gt",
    "semver_ge",
    "semver_lt",
    "semver_le",
]  # fmt: skip - a table of match types

versions = st.text(alphabet="0129.-+ab ", max_size=8) | st.from_regex(
    r"[0-3](\.[0-3]){0,2}([-+][a-c1]{0,3})?", fullmatch=True
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 1.0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 1e300, "", "s", "us", "true"]),
    versions,
)
attribute_values = values | st.sampled_from([float("nan"), float("inf"), [1], {"a": 1}])
names = st.sampled_from(["x", "y", "z"])
leaves = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["custom_attribute", "custom_attribute", "third_party_dimension", "other", None]),
        "match": st.sampled_from(MATCHES),
        "name": names,
        "value": values,
    }
)
trees = st.recursive(
    leaves,
    lambda children: st.builds(
        lambda operator, operands: [*operator, *operands],
        st.sampled_from([["and"], ["or"], ["not"], []]),
        st.lists(children, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
attributes = st.dictionaries(names, attribute_values, max_size=3)
segments = st.none() | st.frozensets(st.sampled_from(["s", "us"]))


class Person:
    """What the SDK's evaluator asks of a user."""

    def __init__(self, attributes: dict[str, Any], segments: frozenset[str] | None) -> None:
        self._attributes, self._segments = attributes, segments

    def get_user_attributes(self) -> dict[str, Any]:
        return self._attributes

    def is_qualified_for(self, segment: str) -> bool:
        return self._segments is not None and segment in self._segments


def asked_of_the_sdk(tree: Any, person: Any) -> bool | None:
    leaves_found: Any
    structure, leaves_found = condition.loads(json.dumps(tree))
    evaluator = condition.CustomAttributeConditionEvaluator(leaves_found, person, NoOpLogger())
    answer: bool | None = condition_tree_evaluator.evaluate(structure, evaluator.evaluate)
    return answer


def asked_of_us(tree: Any, attributes: dict[str, Value], segments: frozenset[str] | None) -> bool | None:
    return compile_audience(tree, "", lambda path, message: None)(attributes, segments)


@settings(max_examples=400, deadline=None)
@given(trees, attributes, segments)
def test_every_tree_answers_as_the_sdk_where_the_sdk_answers(
    tree: Any, attributes: dict[str, Value], segments: frozenset[str] | None
) -> None:
    ours = asked_of_us(tree, attributes, segments)
    try:
        theirs = asked_of_the_sdk(tree, Person(attributes, segments))
    except (ValueError, TypeError):
        # C11: the SDK raises where a number meets a word in a version, or an operand is no leaf.
        return
    assert ours == theirs


@settings(deadline=None)
@given(trees, st.lists(st.tuples(names, values), unique_by=lambda pair: pair[0]))
def test_the_order_of_attributes_does_not_matter(tree: Any, pairs: list[tuple[str, Value]]) -> None:
    assert asked_of_us(tree, dict(pairs), None) == asked_of_us(tree, dict(reversed(pairs)), None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(["type", "match", "name", "value"]), children)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(json_values, st.dictionaries(st.text(max_size=3), json_values, max_size=3))
def test_no_json_makes_conditions_raise(tree: Any, attributes: dict[str, Any]) -> None:
    assert asked_of_us(tree, attributes, None) in (True, False, None)


@given(st.text(alphabet="0129.-+a²٢ ", max_size=8), st.text(alphabet="0129.-+a²٢ ", max_size=8))
def test_versions_never_raise_and_a_version_equals_itself(one: str, other: str) -> None:
    user, target = semver.parse(one), semver.parse(other)
    if user is not None and target is not None:
        assert semver.compare(user, target) in (-1, 0, 1)
        assert semver.compare(user, user) == 0


def test_a_number_of_many_digits_is_compared_by_value() -> None:
    long, longer = semver.parse("0" + "9" * 5_000), semver.parse("1" + "0" * 5_000)
    assert long is not None
    assert longer is not None
    assert semver.compare(long, longer) == -1


def test_a_number_is_lower_than_a_word_in_a_pre_release() -> None:
    user, target = semver.parse("2.0.0-1"), semver.parse("2.0.0-beta")
    assert user is not None
    assert target is not None
    assert semver.compare(user, target) == -1


def test_decimal_digits_of_any_script_are_digits_and_superscripts_are_none() -> None:
    arabic, latin = semver.parse("٢.0"), semver.parse("2.0")
    assert arabic is not None
    assert latin is not None
    assert semver.compare(arabic, latin) == 0
    assert semver.parse("².0") is None


def test_exact_strings_of_one_attribute_in_an_or_keep_three_answers() -> None:
    tree = [
        "or",
        *({"type": "custom_attribute", "match": "exact", "name": "x", "value": one} for one in "abc"),
    ]
    people: list[dict[str, Value]] = [{"x": "b"}, {"x": "z"}, {"x": 5}, {}]
    answers = [asked_of_us(tree, attributes, None) for attributes in people]
    assert answers == [True, False, None, None]
