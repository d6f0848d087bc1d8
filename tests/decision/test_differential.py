"""Generated cases against the reference: differences without a ruling are none, and a planted one is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache

import pytest
from msgspec import structs

from sidecar.decision import CompiledDatafile, Decision, User
from tools.differential.__main__ import report
from tools.differential.answers import Case
from tools.differential.minimal import smallest
from tools.differential.rulings import ACTING, TABLE
from tools.differential.running import Difference, Tally, compare, run

CASES = int(os.environ.get("DIFFERENTIAL_CASES", "20000"))
FEATURES_SEEN_MIN = 5
SEED = 20
FEATURES = (
    *("audience: legacy", "audience: typed", "audience: typed over its twin"),
    *(f"match: {match}" for match in ("exact", "exists", "substring", "qualified", "gt", "ge", "lt", "le")),
    *(f"match: semver_{match}" for match in ("eq", "gt", "ge", "lt", "le")),
    *("operator: and", "operator: or", "operator: not", "condition: list without operator", "condition: empty list"),
    *("condition: unknown operator", "condition: unknown match", "condition: unknown type", "condition: no match"),
    *("condition: match that is no text", "condition: value that does not suit"),
    *("condition: operator without operands", "condition: exact texts of one attribute"),
    *("rule: audience ids", "rule: audience conditions", "rule: empty or null audience conditions"),
    *("rule: audience conditions without operator", "rule: empty list in audience conditions"),
    *("rule: not running", "rule: whitelist", "rule: contextual bandit"),
    *(f"rule: type {kind}" for kind in ("ab", "td", "fr", "mab")),
    *("group: random", "group: overlapping", "group: experiment also outside of it"),
    *("holdout: global", "holdout: local", "holdout: excludes targeted deliveries"),
    *("holdout: global with rules", "holdout: local without rules"),
    *(f"variable: {kind}" for kind in ("string", "boolean", "integer", "double", "json", "unknown type")),
    *(f"variable: odd {kind}" for kind in ("string", "boolean", "integer", "double", "json")),
    *("variable: json within a string", "variation: value of an unknown variable", "variation: one key twice"),
    *("flag: rollout", "flag: shares an experiment", "flag: names an experiment twice"),
    *("datafile: sendFlagDecisions", "datafile: unknown experiment", "datafile: unknown rollout"),
    *("datafile: one flag twice", "datafile: one experiment twice", "datafile: section absent or null"),
    *("datafile: field of a rule absent", "datafile: field of a flag absent", "datafile: number for text"),
    *("user: empty id", "user: id beyond ASCII", "user: segments", "user: forced decisions", "user: profile"),
    *("user: variations set by API", "user: attribute that is no text, number or boolean"),
    *(f"user: bucketing id, a {kind}" for kind in ("str", "int", "float", "bool", "NoneType")),
    *("option: enabled flags only", "outcome: saved to the profile", "outcome: left out, not enabled"),
    *("impressions: 0", "impressions: 1", "impressions: 2"),
    *("reason: FLAG_NOT_FOUND", "reason: FLAG_FORCED", "reason: RULE_FORCED", "reason: HOLDOUT", "reason: WHITELISTED"),
    *("reason: FORCED_VARIATION", "reason: STICKY", "reason: BUCKETED", "reason: ROLLOUT", "reason: NO_RULE_MATCHED"),
    "reason: CMAB_UNSUPPORTED",
)
"""What the generator must not lose. FLAG_INVALID is not here: the SDK refuses the whole of such a datafile (F4)."""


@cache
def tally() -> Tally:
    total = Tally()
    for part in run(CASES, SEED):
        total.add(part)
    return total


@pytest.mark.timeout(240)
def test_every_difference_from_the_reference_has_a_ruling() -> None:
    total = tally()
    assert total.cases >= CASES
    assert not total.unexplained, "\n".join(report(smallest(one, compare)) for one in total.kept[:1])


def test_the_generator_exercises_every_feature() -> None:
    assert {name: tally().features[name] for name in FEATURES if tally().features[name] < FEATURES_SEEN_MIN} == {}


def test_every_ruling_that_may_explain_a_difference_explains_one() -> None:
    seen = {ruling for together in tally().rulings for ruling in together.split("+")}
    assert seen == {ruling.id for ruling in ACTING}


def test_the_table_has_every_ruling_once() -> None:
    assert [ruling.id for ruling in TABLE] == [f"R{number}" for number in range(1, 17)]


def enabled_turned_over(datafile: CompiledDatafile, user: User, flag_key: str) -> Decision:
    decision = datafile.decide(user, flag_key)
    return structs.replace(decision, enabled=not decision.enabled) if decision.rule_key else decision


def no_second_impression(datafile: CompiledDatafile, user: User, flag_key: str) -> Decision:
    decision = datafile.decide(user, flag_key)
    return structs.replace(decision, impressions=decision.impressions[:1])


def values_of_the_variation_forgotten(datafile: CompiledDatafile, user: User, flag_key: str) -> Decision:
    decision = datafile.decide(user, flag_key)
    flag = datafile.flags.get(flag_key)
    return decision if flag is None else structs.replace(decision, variables=flag.facts.variables.defaults)


def sticky_profile_ignored(datafile: CompiledDatafile, user: User, flag_key: str) -> Decision:
    user.profile = None
    return datafile.decide(user, flag_key)


def bucketing_id_ignored(datafile: CompiledDatafile, user: User, flag_key: str) -> Decision:
    user.bucketing_bytes = user.user_id.encode()
    return datafile.decide(user, flag_key)


@pytest.mark.parametrize(
    "fault",
    [
        enabled_turned_over,
        no_second_impression,
        values_of_the_variation_forgotten,
        sticky_profile_ignored,
        bucketing_id_ignored,
    ],
)
def test_a_planted_fault_is_found(fault: Callable[[CompiledDatafile, User, str], Decision]) -> None:
    found = Tally()
    for part in run(6_000, SEED, engine=fault):
        found.add(part)
        if found.unexplained:
            break
    assert found.unexplained


def test_a_difference_is_cut_down_to_what_it_needs() -> None:
    kept = next(part for part in run(2_000, SEED, engine=enabled_turned_over) if part.kept).kept[0]

    def again(case: Case) -> Difference | None:
        return compare(case, enabled_turned_over)

    small = smallest(kept, again)
    assert small.fields == kept.fields
    assert len(json.dumps(small.case.datafile)) < len(json.dumps(kept.case.datafile)) / 2
    assert json.loads(report(small))["differs"] == sorted(kept.fields)
