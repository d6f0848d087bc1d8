"""The older calls by what they answer, record, save and tell; each against the SDK is in tests/decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar.classic import Asker
from sidecar.notifications import DecisionKind
from sidecar.pb import record_pb2
from sidecar.sticky import Sticky
from tests.decision.building import everyone_else, flag, holdout, rule, variation
from tests.support.classic import Stand, activate, activate_call, feature, stand

NOBODY = {"audienceIds": ["1"]}
NO_TRAFFIC: Mapping[str, Any] = {"trafficAllocation": []}
OFF = [{"entityId": "702", "endOfRange": 10_000}]


def shown(on: Stand) -> list[tuple[str, str, str, bool]]:
    return [(one.flag_key, one.rule_key, one.rule_type, one.enabled) for one in on.impressions()]


# --- experiments ------------------------------------------------------------------------------------------------------


def test_activate_makes_one_impression_of_the_experiment_enabled_whatever_its_variation_says() -> None:
    on = stand(experiments=[rule(trafficAllocation=OFF)])
    decision, decision_id = activate(on, asker=on.asker("anna", {"x": "t"}))
    assert (decision.variation_key, decision.reason, decision.experiment_id) == ("off", "BUCKETED", "700")
    (made,) = on.impressions()
    assert (made.flag_key, made.rule_key, made.rule_type, made.enabled) == ("", "exp", "experiment", True)
    assert (made.campaign_id, made.experiment_id, made.variation_id) == ("L700", "700", "702")
    assert (made.origin.user_id, made.attributes, made.decision_id) == ("anna", {"x": "t"}, decision_id)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "Paused"}, "EXPERIMENT_NOT_RUNNING"),
        ({"status": "Paused", "cmab": {"attributeIds": []}}, "EXPERIMENT_NOT_RUNNING"),
        (NOBODY, "NO_RULE_MATCHED"),
        (NO_TRAFFIC, "NO_RULE_MATCHED"),
        ({"cmab": {"attributeIds": []}}, "CMAB_UNSUPPORTED"),
    ],
)
def test_without_a_variation_the_reason_says_why_and_there_is_no_impression(
    changes: dict[str, Any], reason: str
) -> None:
    on = stand(experiments=[rule(**changes)])
    decision, _ = activate(on)
    assert (decision.variation_key, decision.variation_id, decision.reason) == ("", "", reason)
    assert (decision.experiment_id, decision.rule_key) == ("700", "exp")
    assert on.impressions() == []
    assert [one.decision.reason for one in on.told()] == [reason]


def test_an_unknown_experiment_is_an_answer_and_nobody_is_told() -> None:
    on = stand()
    decision, decision_id = activate(on, "nowhere")
    assert (decision.reason, decision.experiment_id, decision_id) == ("EXPERIMENT_NOT_FOUND", "", "id-1")
    assert on.classic.variation(on.asker(), "nowhere") is decision
    assert (on.impressions(), on.told()) == ([], [])


def test_holdouts_and_forced_decisions_mean_nothing_to_an_experiment_by_key() -> None:
    on = stand(holdouts=[holdout()], localHoldouts=[holdout("600", "local", includedRules=["700"])])
    assert activate(on).decision.variation_key == "on"


def test_a_fixed_variation_of_a_contextual_bandit_is_answered() -> None:
    on = stand(experiments=[rule(cmab={"attributeIds": []}, forcedVariations={"u": "off"})])
    assert activate(on).decision.reason == "WHITELISTED"


def test_a_repeated_decision_id_makes_no_second_impression() -> None:
    on = stand()
    assert [activate(on, decision_id="d").decision_id for _ in range(3)] == ["d", "d", "d"]
    assert len(on.impressions()) == 1
    assert [one.impression_offered for one in on.told()] == [True, False, False]


def test_get_variation_answers_as_activate_does_and_records_nothing() -> None:
    on = stand()
    looked = on.classic.variation(on.asker(), "exp")
    assert on.impressions() == []
    assert activate(on, asker=Asker(on.snapshot, on.asker().user, Sticky({}))).decision.variation_key == "on"
    assert looked.variation_key == "on"


def test_every_answer_of_an_experiment_is_one_value_however_often_it_is_given() -> None:
    on = stand(sticky=False)
    assert activate(on).decision is activate(on).decision
    assert len(on.snapshot.rendered) == len(list(on.snapshot.compiled.prebuilt())) + 1


def test_a_delivery_rule_is_found_by_key_after_the_experiments() -> None:
    on = stand()
    assert activate(on, "ee").decision.variation_key == "rest"
    both = stand(rollouts=[{"id": "ro", "experiments": [rule("900")]}])
    assert activate(both, "exp").decision.experiment_id == "700"


def test_a_feature_rollout_by_key_gives_the_rest_of_its_traffic_to_its_first_flags_delivery() -> None:
    flags = [flag("none", rolloutId=""), flag("f"), flag("g", rolloutId="ro2")]
    second = rule("990", "ee2", variations=[variation("992", "other")])
    on = stand(
        experiments=[rule(type="fr", trafficAllocation=[])],
        featureFlags=flags,
        rollouts=[{"id": "ro", "experiments": [everyone_else()]}, {"id": "ro2", "experiments": [second]}],
    )
    decision, _ = activate(on)
    assert (decision.variation_key, decision.rule_key) == ("rest", "exp")


# --- flags ------------------------------------------------------------------------------------------------------------

EXCLUDES = holdout(excludeTargetedDeliveries=True)


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"sendFlagDecisions": False}, [("f", "exp", "feature-test", True)]),
        (
            {"sendFlagDecisions": False, "experiments": [rule(trafficAllocation=OFF)]},
            [("f", "exp", "feature-test", False)],
        ),
        ({"experiments": [rule(**NO_TRAFFIC)]}, [("f", "ee", "rollout", True)]),
        ({"experiments": [rule(**NO_TRAFFIC)], "sendFlagDecisions": False}, []),
        ({"experiments": [], "rollouts": []}, [("f", "", "rollout", False)]),
        ({"experiments": [], "rollouts": [], "sendFlagDecisions": False}, []),
        ({"holdouts": [holdout()]}, []),
        ({"localHoldouts": [holdout(includedRules=["700"])]}, []),
        ({"holdouts": [EXCLUDES]}, [("f", "ee", "rollout", True)]),
        ({"holdouts": [EXCLUDES], "experiments": [rule(type="td")]}, [("f", "exp", "feature-test", True)]),
        ({"holdouts": [EXCLUDES], "sendFlagDecisions": False}, []),
    ],
    ids=[
        "experiment",
        "experiment, off",
        "delivery",
        "delivery, not sent",
        "nothing",
        "nothing, not sent",
        "holdout",
        "local holdout",
        "delivery beside a holdout",
        "targeted delivery beside a holdout",
        "delivery beside a holdout, not sent",
    ],
)
def test_is_feature_enabled_makes_the_impressions_of_all_but_holdouts(
    changes: dict[str, Any], made: list[tuple[str, str, str, bool]]
) -> None:
    on = stand(**changes)
    decision, _ = feature(on)
    assert shown(on) == made
    (told,) = on.told()
    assert (told.decision, told.impression_offered) == (decision, bool(made))


def test_get_enabled_features_lists_what_is_on_and_records_every_flag() -> None:
    off = rule(
        "710",
        "exp2",
        variations=[variation("711", "no", enabled=False)],
        trafficAllocation=[{"entityId": "711", "endOfRange": 10_000}],
    )
    on = stand(featureFlags=[flag("z"), flag("off", experimentIds=["710"]), flag("a")], experiments=[rule(), off])
    asker = on.asker()
    keys, decision_id = on.classic.enabled_features(asker, activate_call(asker), "d")
    assert (keys, decision_id) == (["z", "a"], "d")
    assert shown(on) == [
        (key, one, "feature-test", key != "off") for key, one in (("z", "exp"), ("off", "exp2"), ("a", "exp"))
    ]
    assert [one.kind for one in on.told()] == [DecisionKind.FEATURE] * 3


def test_an_unknown_flag_is_off_and_nobody_is_told() -> None:
    on = stand()
    decision, decision_id = feature(on, "nowhere")
    assert (decision.enabled, decision.reason, decision_id) == (False, "FLAG_NOT_FOUND", "id-1")
    assert on.classic.variables(on.asker(), "nowhere").variables == {}
    assert (on.impressions(), on.told()) == ([], [])


def test_a_full_outbox_costs_the_impression_and_not_the_answer() -> None:
    on = stand()
    on.kept.full = True
    assert activate(on).decision.variation_key == "on"
    assert feature(on).decision.enabled
    assert [one.impression_offered for one in on.told()] == [False, False]
    assert on.telemetry.impressions_refused == 2


def test_a_call_is_kept_as_the_request_that_it_was() -> None:
    on = stand()
    asker, call = on.asker(), activate_call(on.asker())
    on.classic.activate(asker, "exp", call, "")
    on.classic.feature(asker, "f", call, "")
    on.classic.enabled_features(asker, call, "")
    stored = [record_pb2.StoredRecord.FromString(record.body).calls[0] for record in on.kept.records]
    assert [one.WhichOneof("call") for one in stored] == ["activate", "is_feature_enabled", "get_enabled_features"]
    assert stored[0].activate == stored[1].is_feature_enabled == stored[2].get_enabled_features == call


def test_what_makes_an_impression_is_remembered_as_exposed() -> None:
    on = stand()
    on.classic.variation(on.asker(), "exp")
    on.classic.variables(on.asker(), "f")
    assert on.kept.exposed == []
    activate(on, asker=on.asker("anna"))
    feature(on)
    assert on.kept.exposed == [("anna", "700"), ("u", "700")]


def test_listeners_are_told_what_was_asked() -> None:
    on = stand(featureFlags=[flag(variables=[{"id": "1", "key": "k", "type": "string", "defaultValue": "d"}])])
    asker = on.asker("anna", {"x": "t"})
    on.classic.variation(asker, "exp")
    on.classic.variables(asker, "f")
    on.classic.variable(asker, "f", "k")
    told = on.told()
    kinds = [DecisionKind.EXPERIMENT, DecisionKind.ALL_FEATURE_VARIABLES, DecisionKind.FEATURE_VARIABLE]
    assert [one.kind for one in told] == kinds
    assert [one.variable_key for one in told] == ["", "", "k"]
    assert [one.decision.flag_key for one in told] == ["", "f", "f"]
    assert {(one.user_id, one.decision_id, one.datafile, one.revision, one.impression_offered) for one in told} == {
        ("anna", "", "default", "7", False)
    }
    assert all(one.attributes == {"x": "t"} for one in told)
