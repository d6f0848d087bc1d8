"""Variables asked for by the older calls: their values, their types, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sidecar.classic import VariableResult
from tests.decision.building import everyone_else, flag, holdout, rule, variation
from tests.support.classic import Stand, stand

VARIABLES = [
    {"id": "1", "key": "count", "type": "integer", "defaultValue": "1"},
    {"id": "2", "key": "text", "type": "string", "defaultValue": "a"},
    {"id": "3", "key": "tree", "type": "string", "subType": "json", "defaultValue": "null"},
    {"id": "4", "key": "broken", "type": "integer", "defaultValue": "one"},
    {"id": "5", "key": "odd", "type": "colour", "defaultValue": "red"},
]
USED = [{"id": "1", "value": "7"}, {"id": "9", "value": "?"}]


def with_variables(*, enabled: bool = True, **changes: Any) -> Stand:
    arm = variation("701", "on", enabled=enabled, variables=USED)
    return stand(**{"featureFlags": [flag(variables=VARIABLES)], "experiments": [rule(variations=[arm])], **changes})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("f", "count"), (VariableResult.VARIATION, 7, "integer")),
        (("f", "count", "integer"), (VariableResult.VARIATION, 7, "integer")),
        (("f", "text", "string"), (VariableResult.DEFAULT, "a", "string")),
        (("f", "tree", "json"), (VariableResult.DEFAULT, None, "json")),
        (("f", "odd", "string"), (VariableResult.DEFAULT, "red", "string")),
        (("f", "count", "double"), (VariableResult.TYPE_MISMATCH, 7, "integer")),
        (("f", "tree", "string"), (VariableResult.TYPE_MISMATCH, None, "json")),
        (("f", "broken"), (VariableResult.VALUE_INVALID, None, "integer")),
        (("f", "broken", "string"), (VariableResult.TYPE_MISMATCH, None, "integer")),
        (("f", "nowhere"), (VariableResult.VARIABLE_NOT_FOUND, None, None)),
        (("nowhere", "count"), (VariableResult.FLAG_NOT_FOUND, None, None)),
    ],
)
def test_a_variable_is_typed_and_says_where_it_comes_from(asked: Sequence[str], found: tuple[Any, ...]) -> None:
    on = with_variables()
    decision, answer, result = on.classic.variable(on.asker(), *asked)
    value, type_ = (None, None) if answer is None else (answer.value, answer.type)
    assert (result, value, type_) == found
    assert decision.enabled is (asked[0] == "f")
    with_value = result in ("VARIATION", "DEFAULT", "VALUE_INVALID")
    assert (len(on.told()), bool(on.kept.profile)) == (with_value, with_value)
    assert on.impressions() == []


def test_a_variation_that_is_off_gives_the_default() -> None:
    on = with_variables(enabled=False)
    _, answer, result = on.classic.variable(on.asker(), "f", "count")
    assert (answer and answer.value, result) == (1, VariableResult.DEFAULT)
    assert on.classic.variables(on.asker(), "f").variables["count"] == 1


def test_an_enabled_variation_of_a_holdout_gives_the_default() -> None:
    # The delivery has the holdout's ids, which must not make its values the holdout's.
    arms = [variation("902", "held", variables=USED)]
    held = holdout("900", variations=arms, trafficAllocation=[{"entityId": "902", "endOfRange": 10_000}])
    on = with_variables(holdouts=[held], rollouts=[{"id": "ro", "experiments": [everyone_else(variations=arms)]}])
    decision, answer, result = on.classic.variable(on.asker(), "f", "count")
    assert (decision.enabled, answer and answer.value, result) == (True, 1, VariableResult.DEFAULT)


def test_a_delivery_rules_variation_gives_its_own_value() -> None:
    rest = everyone_else(variations=[variation("902", "rest", variables=USED)])
    on = with_variables(experiments=[], rollouts=[{"id": "ro", "experiments": [rest]}])
    assert on.classic.variable(on.asker(), "f", "count").result is VariableResult.VARIATION


def test_of_two_variables_with_one_key_or_one_id_there_is_an_answer_that_decisions_agree_with() -> None:
    twice = [
        {"id": "1", "key": "k", "type": "integer", "defaultValue": "1"},
        {"id": "2", "key": "k", "type": "string", "defaultValue": "a"},
        {"id": "2", "key": "j", "type": "string", "defaultValue": "b"},
    ]
    on = with_variables(featureFlags=[flag(variables=twice)])
    decided = on.classic.variables(on.asker(), "f").variables
    for key in ("k", "j"):
        answer = on.classic.variable(on.asker(), "f", key).answer
        assert answer is not None
        assert answer.value == decided[key]


def test_a_variable_of_an_invalid_flag_is_not_found() -> None:
    on = stand(featureFlags=[flag(variables=7)])
    assert on.classic.variable(on.asker(), "f", "k").result is VariableResult.FLAG_NOT_FOUND
