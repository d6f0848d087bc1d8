"""The order in which a flag asks what could answer it. Rules: docs/semantics.md D1 to D9."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.decision import Decision, Reason, RuleType, User
from tests.decision.building import build, everyone_else, flag, holdout, rule, somebody, variation


def said(decision: Decision) -> tuple[str, str, Reason]:
    return decision.variation_key, decision.rule_key, decision.reason


def impressions(decision: Decision) -> list[tuple[str, RuleType, str]]:
    return [(one.rule_key, one.rule_type, one.variation_key) for one in decision.impressions]


def test_an_unknown_flag_is_a_decision_of_its_own_that_makes_no_impression() -> None:
    decision = build().decide(somebody(), "nope")
    assert said(decision) == ("", "", Reason.FLAG_NOT_FOUND)
    assert not decision.enabled
    assert decision.impressions == ()


def test_bucketed_users_are_saved_to_the_profile_and_nobody_else() -> None:
    datafile = build()
    assert datafile.decide(somebody(), "f").saves_profile
    sticky = User("u", profile={"700": "702"})
    assert not datafile.decide(sticky, "f").saves_profile


def test_a_variation_set_by_api_beats_whitelist_and_profile() -> None:
    datafile = build(experiments=[rule(forcedVariations={"u": "on"})])
    user = User("u", forced_variations={"700": "702"}, profile={"700": "701"})
    assert said(datafile.decide(user, "f")) == ("off", "exp", Reason.FORCED_VARIATION)


def test_the_whitelist_beats_the_profile_and_the_audience() -> None:
    datafile = build(experiments=[rule(forcedVariations={"u": "on"}, audienceIds=["unknown"])])
    assert said(datafile.decide(User("u", profile={"700": "702"}), "f")) == ("on", "exp", Reason.WHITELISTED)


def test_a_sticky_variation_beats_the_audience() -> None:
    datafile = build(experiments=[rule(audienceIds=["unknown"])])
    assert said(datafile.decide(User("u", profile={"700": "702"}), "f")) == ("off", "exp", Reason.STICKY)


@pytest.mark.parametrize("state", [{"forced_variations": {"700": "gone"}}, {"profile": {"700": "gone"}}])
def test_a_variation_that_is_gone_is_passed_over(state: dict[str, Any]) -> None:
    assert said(build().decide(User("u", **state), "f")) == ("on", "exp", Reason.BUCKETED)


def test_nothing_fixed_holds_in_an_experiment_that_does_not_run() -> None:
    datafile = build(experiments=[rule(status="Paused", forcedVariations={"u": "on"})])
    user = User("u", forced_variations={"700": "702"}, profile={"700": "702"})
    assert said(datafile.decide(user, "f")) == ("rest", "ee", Reason.ROLLOUT)


def test_a_flag_forced_decision_makes_an_impression_of_no_rule() -> None:
    decision = build(sendFlagDecisions=False).decide(User("u", forced_decisions={("f", ""): "rest"}), "f")
    assert said(decision) == ("rest", "", Reason.FLAG_FORCED)
    assert impressions(decision) == [("", RuleType.FEATURE_TEST, "rest")]
    assert decision.experiment_id == ""


def test_any_variation_of_the_flag_can_be_forced_on_any_of_its_rules() -> None:
    user = User("u", forced_decisions={("f", "exp"): "rest"})
    assert said(build().decide(user, "f")) == ("rest", "exp", Reason.RULE_FORCED)


def test_a_delivery_forced_on_a_rule_is_a_rollout() -> None:
    user = User("u", forced_decisions={("f", "ee"): "off"})
    decision = build(experiments=[rule(status="Paused")]).decide(user, "f")
    assert (decision.reason, decision.rule_type) == (Reason.RULE_FORCED, RuleType.ROLLOUT)


def test_a_forced_variation_that_the_flag_lacks_is_passed_over() -> None:
    user = User("u", forced_decisions={("f", ""): "zz", ("f", "exp"): "zz"})
    assert said(build().decide(user, "f")) == ("on", "exp", Reason.BUCKETED)


def test_a_global_holdout_beats_rule_forced_decisions() -> None:
    user = User("u", forced_decisions={("f", "exp"): "off"})
    assert said(build(holdouts=[holdout()]).decide(user, "f")) == ("held", "ho", Reason.HOLDOUT)


def test_a_rule_forced_decision_beats_local_holdouts() -> None:
    datafile = build(localHoldouts=[holdout(includedRules=["700"])])
    user = User("u", forced_decisions={("f", "exp"): "off"})
    assert datafile.decide(user, "f").reason is Reason.RULE_FORCED
    assert said(datafile.decide(somebody(), "f")) == ("held", "ho", Reason.HOLDOUT)


def test_a_local_holdout_stands_before_a_delivery_rule_too() -> None:
    datafile = build(experiments=[], localHoldouts=[holdout(includedRules=["900"])])
    assert said(datafile.decide(somebody(), "f")) == ("held", "ho", Reason.HOLDOUT)


def test_an_enabled_holdout_gives_the_default_variables() -> None:
    variables = [{"id": "k1", "key": "k", "type": "string", "defaultValue": "d"}]
    on = variation("501", "held", variables=[{"id": "k1", "value": "other"}])
    decision = build(featureFlags=[flag(variables=variables)], holdouts=[holdout(variations=[on])]).decide(
        somebody(), "f"
    )
    assert decision.enabled
    assert decision.variables == {"k": "d"}


def excluding() -> dict[str, Any]:
    return holdout(excludeTargetedDeliveries=True)


def test_a_targeted_delivery_answers_beside_the_holdout_that_excludes_it() -> None:
    decision = build(experiments=[rule(type="td")], holdouts=[excluding()]).decide(somebody(), "f")
    assert said(decision) == ("on", "exp", Reason.BUCKETED)
    assert impressions(decision) == [("ho", RuleType.HOLDOUT, "held"), ("exp", RuleType.FEATURE_TEST, "on")]


def test_other_experiments_do_not_answer_beside_an_excluding_holdout() -> None:
    decision = build(experiments=[rule(type="ab")], holdouts=[excluding()], sendFlagDecisions=False).decide(
        somebody(), "f"
    )
    assert said(decision) == ("rest", "ee", Reason.ROLLOUT)
    assert impressions(decision) == [("ho", RuleType.HOLDOUT, "held")]


def test_no_rule_beside_an_excluding_holdout_still_shows_the_holdout() -> None:
    decision = build(experiments=[], rollouts=[], holdouts=[excluding()]).decide(somebody(), "f")
    assert decision.reason is Reason.NO_RULE_MATCHED
    assert impressions(decision) == [("ho", RuleType.HOLDOUT, "held"), ("", RuleType.ROLLOUT, "")]


def test_a_local_holdout_beside_an_excluding_one_makes_its_own_impression_alone() -> None:
    local = holdout("600", "local", includedRules=["700"])
    datafile = build(experiments=[rule(type="td")], holdouts=[excluding()], localHoldouts=[local])
    assert impressions(datafile.decide(somebody(), "f")) == [("local", RuleType.HOLDOUT, "held")]


def test_deliveries_make_impressions_only_when_the_datafile_wants_them() -> None:
    for wanted, count in ((True, 1), (False, 0)):
        datafile = build(experiments=[], sendFlagDecisions=wanted)
        assert len(datafile.decide(somebody(), "f").impressions) == count


def test_a_bandit_is_skipped_and_said_when_nothing_else_answers() -> None:
    bandit = rule(cmab={"attributeIds": [], "trafficAllocation": 10_000})
    datafile = build(experiments=[bandit], rollouts=[])
    assert said(datafile.decide(somebody(), "f")) == ("", "", Reason.CMAB_UNSUPPORTED)
    assert [warning.path for warning in datafile.warnings if "cmab" in warning.path] == ["experiments[0].cmab"]
    assert said(build(experiments=[bandit]).decide(somebody(), "f")) == ("rest", "ee", Reason.ROLLOUT)


def test_flags_are_answered_once_in_the_order_asked_for() -> None:
    datafile = build(featureFlags=[flag("a"), flag("b")])
    keys = [decision.flag_key for decision in datafile.decide_keys(somebody(), ["b", "zz", "a", "b"])]
    assert keys == ["b", "zz", "a"]
    assert [decision.flag_key for decision in datafile.decide_keys(somebody())] == ["a", "b"]


def test_enabled_only_leaves_out_what_is_disabled_or_unknown() -> None:
    off = rule("710", "exp2", variations=[variation("701", "off", enabled=False)])
    datafile = build(
        featureFlags=[flag("a"), flag("b", experimentIds=["710"])],
        experiments=[rule(), off],
    )
    decisions = datafile.decide_keys(somebody(), ["b", "zz", "a"], enabled_only=True)
    assert [decision.flag_key for decision in decisions] == ["a"]


def test_the_same_answer_is_the_same_object_whoever_gets_it() -> None:
    datafile = build()
    assert datafile.decide(somebody("u1"), "f") is datafile.decide(somebody("u2"), "f")
    forced = User("u", forced_decisions={("f", "exp"): "off"})
    assert datafile.decide(forced, "f") is datafile.decide(forced, "f")
    whole = User("u", forced_decisions={("f", ""): "off"})
    assert datafile.decide(whole, "f") is datafile.decide(whole, "f")


def test_two_flags_that_share_an_experiment_answer_under_their_own_names() -> None:
    datafile = build(featureFlags=[flag("a"), flag("b")])
    for decision in datafile.decide_keys(somebody()):
        assert [part.flag_key for part in decision.impressions] == [decision.flag_key]


def test_an_impression_names_campaign_experiment_and_variation() -> None:
    (part,) = build().decide(somebody(), "f").impressions
    assert (part.campaign_id, part.experiment_id, part.experiment_key, part.variation_id) == (
        "L700",
        "700",
        "exp",
        "701",
    )


def test_the_last_rule_of_a_rollout_has_an_audience_too() -> None:
    rollout = {"id": "ro", "experiments": [everyone_else(audienceIds=["unknown"])]}
    assert build(experiments=[], rollouts=[rollout]).decide(somebody(), "f").variation_key == ""
