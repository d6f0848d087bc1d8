"""What the audit finds, each with its place, and that it finds nothing where there is nothing."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from sidecar.decision import load
from sidecar.decision.audit import audit
from tests.decision.building import build, document, exact, flag, holdout, rule, variation
from tests.decision.test_meaning import mutated
from tests.decision.test_vectors import VECTORS, cases


def warned(**changes: Any) -> dict[str, str]:
    return {warning.path: warning.message for warning in audit(build(**changes))}


def ends(*ends: float, entity_id: str = "701") -> list[dict[str, Any]]:
    return [{"entityId": entity_id, "endOfRange": end} for end in ends]


def typed(conditions: Any) -> dict[str, Any]:
    return {"typedAudiences": [{"id": "1", "name": "a", "conditions": conditions}]}


def variable(**changes: Any) -> dict[str, Any]:
    one = {"id": "v", "key": "k", "type": "integer", "defaultValue": "1", **changes}
    return {"featureFlags": [flag(variables=[one])]}


def usages(id_: str, value: str, *, enabled: bool = True) -> dict[str, Any]:
    return {
        "experiments": [
            rule(variations=[variation("701", "on", enabled=enabled, variables=[{"id": id_, "value": value}])])
        ]
    }


def test_a_sound_datafile_has_no_warnings() -> None:
    assert warned() == {}
    assert audit(load((VECTORS / "datafile_20_flags.json").read_bytes())) == ()
    assert audit(load(Path(__file__).parents[2].joinpath("examples", "shop.json").read_bytes())) == ()


def grouped(**changes: Any) -> dict[str, Any]:
    group = {"id": "g", "policy": "random", "experiments": [rule("710", "one")], "trafficAllocation": [], **changes}
    return {"groups": [group]}


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        pytest.param(
            {"featureFlags": [flag(experimentIds=["9"])]},
            "featureFlags[0].experimentIds[0]",
            "there is no experiment `9`",
            id="R7 experiment",
        ),
        pytest.param(
            {"featureFlags": [flag(rolloutId="9")]},
            "featureFlags[0].rolloutId",
            "there is no rollout `9`",
            id="R7 rollout",
        ),
        pytest.param(
            {"experiments": [rule(audienceIds=["9"])]},
            "experiments[0].audienceIds[0]",
            "there is no audience `9`",
            id="unknown audience",
        ),
        pytest.param(
            {"experiments": [rule(trafficAllocation=ends(5, entity_id="9"))]},
            "experiments[0].trafficAllocation[0].entityId",
            "there is no variation `9`",
            id="variation",
        ),
        pytest.param(
            {"experiments": [rule(forcedVariations={"u.1": "no"})]},
            'experiments[0].forcedVariations["u.1"]',
            "there is no variation `no`",
            id="unknown whitelisted variation",
        ),
        pytest.param(
            usages("9", "1"),
            "experiments[0].variations[0].variables[0].id",
            "no flag of the rule has a variable `9`",
            id="unknown variable",
        ),
        pytest.param(
            {"localHoldouts": [holdout(includedRules=["700", "9"])]},
            "localHoldouts[0].includedRules[1]",
            "there is no rule `9`",
            id="unknown rule",
        ),
        pytest.param(
            {"events": [{"id": "e", "key": "e", "experimentIds": ["9"]}]},
            "events[0].experimentIds[0]",
            "there is no experiment `9`",
            id="unknown measured experiment",
        ),
        pytest.param(
            grouped(trafficAllocation=ends(5, entity_id="9")),
            "groups[0].trafficAllocation[0].entityId",
            "there is no experiment `9`",
            id="unknown experiment of a group",
        ),
        pytest.param(
            typed(exact("nope", 1)),
            "typedAudiences[0].conditions.name",
            "no attribute has the key `nope`",
            id="unknown attribute",
        ),
        pytest.param(
            typed(["nope", exact("x", 1)]),
            "typedAudiences[0].conditions[0]",
            "`nope` is no operator",
            id="R6 operator, in an audience that no rule uses",
        ),
        pytest.param(
            typed({**exact("x", 1), "match": "nope"}),
            "typedAudiences[0].conditions.match",
            "`nope` is no known match type",
            id="R6 match",
        ),
        pytest.param(
            typed({**exact("x", 1), "type": "nope"}),
            "typedAudiences[0].conditions.type",
            "`nope` is no known condition type",
            id="R6 condition type",
        ),
        pytest.param(
            {"experiments": [rule(status=None)]},
            "experiments[0].status",
            "is absent; the rule does not run",
            id="R8 status",
        ),
        pytest.param(
            {"experiments": [rule(forcedVariations=None)]},
            "experiments[0].forcedVariations",
            "is `null`, wanted object",
            id="R8 null",
        ),
        pytest.param(
            {"experiments": [rule(layerId=5)]}, "experiments[0].layerId", "is `integer`, wanted string", id="R8 number"
        ),
        pytest.param({"revision": 7}, "revision", "is a number; it is read as its text", id="R8 revision"),
        pytest.param(
            variable(defaultValue="x"),
            "featureFlags[0].variables[0].defaultValue",
            "`x` is no integer; variable `k` is null",
            id="R9 default",
        ),
        pytest.param(
            variable() | usages("v", "1.5"),
            "experiments[0].variations[0].variables[0].value",
            "`1.5` is no integer; variable `k` is null",
            id="R9 value",
        ),
        pytest.param(
            variable(type="strng"), "featureFlags[0].variables[0].type", "`strng` is no known type", id="R9 type"
        ),
        pytest.param(
            {"experiments": [rule(trafficAllocation=ends(5000, 10_001))]},
            "experiments[0].trafficAllocation[1].endOfRange",
            "`10001` exceeds 100 %",
            id="more than all",
        ),
        pytest.param(
            {"experiments": [rule(trafficAllocation=ends(5000, 4000))]},
            "experiments[0].trafficAllocation[1].endOfRange",
            "`4000` is out of order",
            id="out of order",
        ),
        pytest.param(
            grouped(trafficAllocation=ends(9000, 8000, entity_id="710")),
            "groups[0].trafficAllocation[1].endOfRange",
            "`8000` is out of order",
            id="disordered group",
        ),
        pytest.param(
            {"rollouts": [{"id": "unused", "experiments": [rule(trafficAllocation=ends(10_001))]}]},
            "rollouts[0].experiments[0].trafficAllocation[0].endOfRange",
            "exceeds 100 %",
            id="of no flag",
        ),
        pytest.param(
            typed(["and", exact("x", "a"), exact("x", "b")]),
            "typedAudiences[0].conditions",
            "nobody can match it",
            id="nobody matches",
        ),
        pytest.param(
            {"experiments": [rule(audienceConditions=["or"])]},
            "experiments[0].audienceConditions",
            "nobody can match it; the rule's traffic reaches no user",
            id="nobody matches a rule",
        ),
        pytest.param(
            {"typedAudiences": [{"id": "1", "name": "a", "conditions": "{"}]},
            "typedAudiences[0].conditions",
            "is unreadable",
            id="conditions that are no JSON",
        ),
    ],
)
def test_it_finds(changes: dict[str, Any], path: str, said: str) -> None:
    found = warned(**changes)
    assert path in found
    assert said in found[path]


def test_an_absent_section_is_named() -> None:
    body = document()
    del body["groups"]
    found = audit(load(json.dumps(body).encode()))
    assert [(warning.path, warning.message) for warning in found] == [("groups", "is absent; it is read as empty")]


def test_two_audiences_of_a_rule_that_contradict_each_other_are_named_at_the_rule() -> None:
    audiences = [{"id": id_, "name": id_, "conditions": exact("x", id_)} for id_ in ("1", "2")]
    found = warned(typedAudiences=audiences, experiments=[rule(audienceConditions=["and", "1", "2"])])
    assert list(found) == ["experiments[0].audienceConditions"]


def test_a_value_is_warned_of_once_and_at_its_place() -> None:
    assert list(warned(**variable(defaultValue="x"))) == ["featureFlags[0].variables[0].defaultValue"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(variable() | usages("v", "x", enabled=False), id="a value that a disabled variation never gives"),
        pytest.param(variable(type="json", defaultValue=" null "), id="a json null"),
        pytest.param(variable(type="string", subType="json", defaultValue="{}"), id="json in a string"),
        pytest.param({"experiments": [rule(trafficAllocation=ends(5000, 5000, 10_000))]}, id="an empty range"),
        pytest.param({"experiments": [rule(trafficAllocation=ends(5000, entity_id=""))]}, id="traffic for nobody"),
        pytest.param(typed(exact("$opt_dummy_attribute", "x")), id="an attribute of Optimizely's own"),
        pytest.param({"holdouts": [holdout(status="Draft", layerId="")]}, id="a holdout that is a draft"),
    ],
)
def test_it_does_not_mind(changes: dict[str, Any]) -> None:
    assert warned(**changes) == {}


def test_no_warning_is_said_twice() -> None:
    for case in cases("decisions"):
        if case["expect"] != "datafile rejected":
            found = audit(load(json.dumps(case["datafile"]).encode()))
            assert len(set(found)) == len(found)


def test_it_survives_every_datafile_that_loads() -> None:
    random_ = random.Random(9)
    with gzip.open(VECTORS / "decisions.jsonl.gz", "rt", encoding="utf-8") as lines:
        bases = [json.loads(line)["datafile"] for line in lines]
    survived = 0
    for _ in range(2000):
        base = random_.choice(bases)
        compiled = mutated(base, random_) if isinstance(base, dict) else None
        if compiled is not None:
            audit(compiled)
            survived += 1
    assert survived > 500
