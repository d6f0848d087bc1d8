"""What changes a flag's meaning and what does not; equal meanings answer alike."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from sidecar.decision import CompiledDatafile, User, load
from sidecar.decision.meaning import Change, changed_flags, changed_settings
from sidecar.decision.simulation import compare
from sidecar.errors import DatafileRejected
from tests.decision.building import build, document, everyone_else, exact, flag, holdout, rule, variation
from tests.decision.test_vectors import cases

HALF = [{"entityId": "701", "endOfRange": 5000}]
VARIABLE = {"id": "v", "key": "k", "type": "integer", "defaultValue": "1"}
VALUED = variation("701", "on", variables=[{"id": "v", "value": "5"}])
RICH: dict[str, Any] = {
    "typedAudiences": [{"id": "1", "name": "a", "conditions": ["or", exact("x", "s")]}],
    "experiments": [
        rule(audienceIds=["1"], variations=[VALUED, variation("702", "off")], forcedVariations={"u": "on"})
    ],
    "featureFlags": [flag(variables=[VARIABLE])],
    "holdouts": [holdout(trafficAllocation=[])],
    "localHoldouts": [holdout("510", "lo", includedRules=["700"], trafficAllocation=[])],
}


def what(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [line for change in changed_flags(build(**old), build(**new)) for line in change.what]


@pytest.mark.parametrize(
    "new",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"revision": "8", "sendFlagDecisions": False}, id="the revision and what is recorded"),
        pytest.param({"typedAudiences": [{"id": "1", "name": "b", "conditions": exact("x", "s")}]}, id="an or of one"),
        pytest.param(
            {
                "typedAudiences": [{"id": "7", "name": "a", "conditions": {**exact("x", "s"), "match": None}}],
                "experiments": [{**RICH["experiments"][0], "audienceIds": [], "audienceConditions": ["or", "7"]}],
            },
            id="the audience's id",
        ),
        pytest.param(
            {"experiments": [*RICH["experiments"], rule("790", "unused")]}, id="an experiment that no flag names"
        ),
        pytest.param({"holdouts": [*RICH["holdouts"], holdout("599", status="Paused")]}, id="a holdout that is paused"),
    ],
)
def test_the_meaning_is_not_changed_by(new: dict[str, Any]) -> None:
    assert what(RICH, RICH | new) == []


def changed_rule(**changes: Any) -> dict[str, Any]:
    return {"experiments": [{**RICH["experiments"][0], **changes}]}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (changed_rule(trafficAllocation=HALF), "rule `exp`: traffic"),
        (changed_rule(status="Paused"), "rule `exp`: status"),
        (changed_rule(audienceIds=[]), "rule `exp`: audience"),
        (changed_rule(forcedVariations={}), "rule `exp`: whitelist"),
        (changed_rule(layerId="other"), "rule `exp`: campaign"),
        (changed_rule(cmab={"attributeIds": []}), "rule `exp`: type"),
        (changed_rule(variations=[variation("701", "on"), variation("702", "off")]), "rule `exp`: variations"),
        ({"typedAudiences": [{"id": "1", "name": "a", "conditions": exact("x", "t")}]}, "rule `exp`: audience"),
        ({"typedAudiences": [{"id": "1", "name": "a", "conditions": exact("y", "s")}]}, "rule `exp`: audience"),
        ({"featureFlags": [flag(variables=[{**VARIABLE, "defaultValue": "2"}])]}, "variable `k`: default"),
        ({"featureFlags": [flag(variables=[])]}, "variable `k` is removed"),
        ({"featureFlags": [flag(variables=[VARIABLE], experimentIds=[])]}, "rule `exp` is removed"),
        ({"holdouts": [holdout()]}, "holdout `ho`: traffic"),
        ({"holdouts": []}, "holdout `ho` is removed"),
        ({"localHoldouts": []}, "rule `exp`: local holdouts"),
        ({"rollouts": [{"id": "ro", "experiments": [everyone_else(trafficAllocation=[])]}]}, "delivery `ee`: traffic"),
        ({"rollouts": [{"id": "ro", "experiments": [rule("801", "d"), everyone_else()]}]}, "delivery `d` is added"),
    ],
)
def test_the_meaning_is_changed_by(new: dict[str, Any], said: str) -> None:
    assert said in what(RICH, RICH | new)


def test_a_rule_that_moves_up_is_another_order() -> None:
    rules = {"experiments": [rule(), rule("720", "other")]}
    old = {**rules, "featureFlags": [flag(experimentIds=["700", "720"])]}
    assert what(old, {**rules, "featureFlags": [flag(experimentIds=["720", "700"])]}) == ["order of rules"]


def test_a_flag_that_becomes_invalid_says_so() -> None:
    assert "was valid, is disabled" in what(RICH, RICH | {"experiments": [rule(variations=5)]})


def test_a_group_changes_the_rules_that_it_moves() -> None:
    one, two = rule("710", "one"), rule("711", "two")

    def groups(*ends: int) -> dict[str, Any]:
        shared = [{"entityId": id_, "endOfRange": end} for id_, end in zip(("710", "711"), ends, strict=True)]
        group = {"id": "g", "policy": "random", "trafficAllocation": shared, "experiments": [one, two]}
        flags = [flag("f", experimentIds=["710"]), flag("h", experimentIds=["711"])]
        return {"groups": [group], "featureFlags": flags}

    changes = changed_flags(build(**groups(3000, 6000)), build(**groups(3000, 9000)))
    assert [(change.flag_key, change.what) for change in changes] == [("h", ("rule `two`: group",))]


def test_added_and_removed_flags_are_named() -> None:
    changes = changed_flags(build(), build(featureFlags=[flag("g")]))
    assert [(change.flag_key, change.change) for change in changes] == [("f", Change.REMOVED), ("g", Change.ADDED)]


def test_settings_that_differ_are_named() -> None:
    assert changed_settings(build(), build(revision="8")) == ()
    assert changed_settings(build(), build(anonymizeIP=True, events=[])) == ("anonymize_ip", "event_ids")


def test_no_vector_changes_by_itself() -> None:
    bodies = {json.dumps(case["datafile"]) for case in cases("decisions") if case["expect"] != "datafile rejected"}
    for body in bodies:
        assert changed_flags(load(body.encode()), load(body.encode())) == ()


def test_equal_meanings_answer_alike() -> None:
    """One value of a datafile is replaced at a time: whenever somebody moves, the meaning has changed."""
    random_ = random.Random(4)
    base = document(**RICH)
    old = build(**RICH)
    users = [User(f"user-{n}", {"x": x}) for n in range(20) for x in ("s", "t")] + [User("u", {"x": "s"})]
    quiet = moving = 0
    for _ in range(700):
        new = mutated(base, random_)
        if new is None or "f" not in new.flags:
            continue
        found = compare(old, new, users, ["f"])
        changed = bool(changed_flags(old, new))
        quiet += not changed
        moving += found.users_moved > 0
        assert changed or not found.users_moved
    assert quiet > 50
    assert moving > 50


def mutated(base: dict[str, Any], random_: random.Random) -> CompiledDatafile | None:
    new = copy.deepcopy(base)
    node: Any = new
    while True:
        key = random_.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key]:
            break
        node = node[key]
    node[key] = random_.choice(
        ["on", "off", "700", "701", "u", "s", "td", "fr", 1, 5000, 0, None, True, [], {}, "Running"]
    )
    try:
        return load(json.dumps(new).encode())
    except DatafileRejected:
        return None
