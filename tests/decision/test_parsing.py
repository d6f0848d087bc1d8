"""What is accepted, what is rejected, and what one broken entity takes with it.

Rules: docs/semantics.md F1 to F8.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidecar.decision import Reason, load, parse
from sidecar.errors import DatafileRejected
from sidecar.limits import DATAFILE_BYTES_MAX, DATAFILE_WARNINGS_MAX
from tests.decision.building import build, document, exact, flag, holdout, rule, somebody, variation


def rejection(body: bytes) -> str:
    with pytest.raises(DatafileRejected) as caught:
        parse(body)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "5"}, "datafile rejected: version is `5`, wanted 2, 3 or 4"),
        ({"version": None}, "datafile rejected: version is absent, wanted 2, 3 or 4"),
        ({"revision": None}, "datafile rejected: revision is absent, wanted a string"),
        ({"featureFlags": {}}, "datafile rejected: featureFlags is `object`, wanted array"),
        ({"anonymizeIP": "no"}, "datafile rejected: anonymizeIP is `string`, wanted boolean"),
    ],
)
def test_a_datafile_of_the_wrong_shape_is_rejected_by_path(change: dict[str, Any], message: str) -> None:
    assert rejection(json.dumps(document(**change)).encode()) == message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_rejected(body: bytes) -> None:
    assert "wanted a JSON object" in rejection(body)


def test_a_datafile_past_the_bound_is_rejected_unread() -> None:
    assert f"at most {DATAFILE_BYTES_MAX}" in rejection(b" " * (DATAFILE_BYTES_MAX + 1))


@pytest.mark.parametrize("version", ["2", "3", "4", 4])
def test_versions_two_to_four_load(version: object) -> None:
    assert build(version=version).decide(somebody(), "f").variation_key == "on"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert load(b"\xef\xbb\xbf" + json.dumps(document()).encode()).revision == "7"


def test_a_number_is_read_as_its_string() -> None:
    numbered = json.loads(json.dumps(rule()).replace('"700"', "700").replace('"701"', "701"))
    datafile = build(revision=42, experiments=[numbered], featureFlags=[flag(experimentIds=[700])])
    decision = datafile.decide(somebody(), "f")
    assert (datafile.revision, decision.experiment_id, decision.variation_id) == ("42", "700", "701")
    assert datafile.warnings == ()


def test_absent_and_null_are_empty() -> None:
    bare = {
        "version": "4",
        "revision": "1",
        "featureFlags": [{"key": "f", "variables": None, "rolloutId": None}],
    }
    datafile = load(json.dumps(bare).encode())
    assert datafile.decide(somebody(), "f").reason is Reason.NO_RULE_MATCHED
    assert (datafile.region, datafile.bot_filtering, datafile.warnings) == ("US", None, ())


def test_an_unknown_key_is_kept_out_of_the_way() -> None:
    extra: dict[str, Any] = {"anything": [1, {"deep": None}]}
    assert build(experiments=[rule(**extra)], **extra).warnings == ()


def test_a_missing_status_does_not_run() -> None:
    untold = rule()
    del untold["status"]
    assert build(experiments=[untold]).decide(somebody(), "f").rule_key == "ee"


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (rule(variations={}), "experiments[0].variations"),
        (rule(variations=[variation("", "on")]), "experiments[0].variations[0].id"),
        (
            rule(variations=[variation("701", "on", variables=[{"id": []}])]),
            "experiments[0].variations[0].variables[0].id",
        ),
        (
            rule(trafficAllocation=[{"entityId": "701", "endOfRange": "all"}]),
            "experiments[0].trafficAllocation[0].endOfRange",
        ),
        (rule(key=" "), "experiments[0].key"),
    ],
)
def test_a_broken_experiment_disables_its_flag_alone_and_is_named(broken: dict[str, Any], path: str) -> None:
    datafile = build(experiments=[broken, rule("710", "exp2")], featureFlags=[flag(), flag("g", experimentIds=["710"])])
    decision = datafile.decide(somebody(), "f")
    assert (decision.reason, decision.variation_key, decision.impressions) == (Reason.FLAG_INVALID, "", ())
    assert datafile.decide(somebody(), "g").variation_key == "on"
    assert path in {warning.path for warning in datafile.warnings}
    assert any("flag `f` is disabled" in warning.message for warning in datafile.warnings)


def test_an_unreadable_audience_disables_the_flags_that_need_it() -> None:
    datafile = build(
        audiences=[{"id": "1", "name": "a", "conditions": "[not json"}], experiments=[rule(audienceIds=["1"])]
    )
    assert datafile.decide(somebody(), "f").reason is Reason.FLAG_INVALID
    assert datafile.warnings[0].path == "audiences[0].conditions"


def test_conditions_nested_past_the_bound_disable_the_flag() -> None:
    tree: list[Any] = [exact("x", "s")]
    for _ in range(150):
        tree = ["and", tree]
    datafile = build(
        typedAudiences=[{"id": "1", "name": "a", "conditions": tree}], experiments=[rule(audienceIds=["1"])]
    )
    assert datafile.decide(somebody(), "f").reason is Reason.FLAG_INVALID


def test_references_to_nothing_are_skipped_with_a_warning() -> None:
    datafile = build(featureFlags=[flag(experimentIds=["none", "700"], rolloutId="none")])
    assert datafile.decide(somebody(), "f").variation_key == "on"
    assert [warning.path for warning in datafile.warnings] == [
        "featureFlags[0].rolloutId",
        "featureFlags[0].experimentIds[0]",
    ]


def test_a_broken_holdout_is_left_out_with_a_warning() -> None:
    datafile = build(holdouts=[holdout(variations=5)], localHoldouts=[holdout()])
    assert datafile.decide(somebody(), "f").variation_key == "on"
    assert [warning.path for warning in datafile.warnings] == [
        "holdouts[0].variations",
        "localHoldouts[0].includedRules",
    ]


def test_the_last_of_two_entities_with_one_key_wins_with_a_warning() -> None:
    datafile = build(featureFlags=[flag(), flag(experimentIds=[])])
    assert datafile.decide(somebody(), "f").rule_key == "ee"
    assert [warning.path for warning in datafile.warnings] == ["featureFlags[1].key"]


def test_an_unknown_match_is_unknown_and_warned_of() -> None:
    audience = {"id": "1", "name": "a", "conditions": ["not", {**exact("x", "s"), "match": "like"}]}
    datafile = build(typedAudiences=[audience], experiments=[rule(audienceIds=["1"])])
    assert datafile.decide(somebody(x="s"), "f").rule_key == "ee"
    assert datafile.warnings[0].path == "typedAudiences[0].conditions[1].match"


def test_warnings_are_bounded_and_the_rest_is_counted() -> None:
    flags = [flag(f"f{index}", rolloutId="none") for index in range(DATAFILE_WARNINGS_MAX + 500)]
    warnings = build(featureFlags=flags).warnings
    assert len(warnings) == DATAFILE_WARNINGS_MAX
    assert warnings[-1].message == "501 more warnings are not listed"
