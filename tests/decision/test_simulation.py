"""Counts of many users by one datafile and by two."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.decision import User
from sidecar.decision.simulation import compare, simulate
from tests.decision.building import build, flag, rule, variation

USERS = [User(f"user-{n}") for n in range(200)]


def test_shares_of_a_flag_sum_to_one() -> None:
    found = simulate(build(), USERS, ["f"])
    assert found.users == 200
    assert sum(share.expected for share in found.shares) == pytest.approx(1)
    assert sum(share.users for share in found.shares) == 200


def test_flags_come_in_the_order_asked_for() -> None:
    datafile = build(featureFlags=[flag(), flag("g", experimentIds=[])])
    assert [share.flag_key for share in simulate(datafile, USERS, ["g", "f"]).shares] == ["g", "f"]


def test_nobody_has_no_shares() -> None:
    found = simulate(build(), [], ["f"])
    assert (found.users, [share.actual for share in found.shares]) == (0, [0.0])


def variables(kind: str, text: str) -> dict[str, Any]:
    return {"featureFlags": [flag(variables=[{"id": "v", "key": "k", "type": kind, "defaultValue": text}])]}


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        pytest.param({}, {}, 0, id="nothing"),
        pytest.param({}, {"experiments": [rule(key="other")]}, 0, id="the rule's name is no answer"),
        pytest.param({}, {"experiments": [rule(trafficAllocation=[])]}, 200, id="the variation"),
        pytest.param(
            {}, {"experiments": [rule(variations=[variation("701", "on", enabled=False)])]}, 200, id="enabled"
        ),
        pytest.param(variables("integer", "1"), variables("integer", "2"), 200, id="a variable"),
        pytest.param(variables("integer", "1"), variables("double", "1"), 200, id="a variable's type"),
        pytest.param(variables("json", '{"a":1,"b":2}'), variables("json", '{"b":2,"a":1}'), 0, id="the order of keys"),
    ],
)
def test_another_answer_is(old: dict[str, Any], new: dict[str, Any], moved: int) -> None:
    found = compare(build(**old), build(**new), USERS, ["f"])
    assert (found.users_moved, found.moved) == (moved, {"f": moved})


def test_a_user_who_moves_on_two_flags_counts_once() -> None:
    flags = {"featureFlags": [flag(), flag("g")]}
    found = compare(build(**flags), build(**flags, experiments=[rule(trafficAllocation=[])]), USERS, ["f", "g"])
    assert (found.users_moved, found.moved) == (200, {"f": 200, "g": 200})
