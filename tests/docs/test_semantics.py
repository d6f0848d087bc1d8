"""Every rule of docs/semantics.md is named by the code that obeys it and by a test that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from tests.docs.reading import page
from tools.checks.tree import ROOT

ORDER, CLASSIC, KEPT = "decision/test_order", "test_classic", "test_classic_kept"
PARSING, CONDITIONS, BUCKETING = "decision/test_parsing", "decision/test_conditions", "decision/test_bucketing"
VARIABLES, VECTORS, DECIDE = "decision/test_variables", "decision/test_vectors", "rpc/test_decision"
BY_VECTORS = (VECTORS, "test_conditions_answer_as_the_vectors_say")
BY_SDK = (CONDITIONS, "test_every_tree_answers_as_the_sdk_where_the_sdk_answers")
SHOWN_BY: Mapping[str, Sequence[tuple[str, str]]] = {
    "D1": [(ORDER, "test_an_unknown_flag_is_a_decision_of_its_own_that_makes_no_impression")],
    "D2": [
        (ORDER, "test_any_variation_of_the_flag_can_be_forced_on_any_of_its_rules"),
        (ORDER, "test_a_forced_variation_that_the_flag_lacks_is_passed_over"),
    ],
    "D3": [
        (ORDER, "test_a_global_holdout_beats_rule_forced_decisions"),
        (ORDER, "test_a_targeted_delivery_answers_beside_the_holdout_that_excludes_it"),
        (ORDER, "test_other_experiments_do_not_answer_beside_an_excluding_holdout"),
    ],
    "D4": [
        (ORDER, "test_a_rule_forced_decision_beats_local_holdouts"),
        (ORDER, "test_nothing_fixed_holds_in_an_experiment_that_does_not_run"),
    ],
    "D5": [
        (ORDER, "test_a_variation_set_by_api_beats_whitelist_and_profile"),
        (ORDER, "test_the_whitelist_beats_the_profile_and_the_audience"),
        (ORDER, "test_a_sticky_variation_beats_the_audience"),
        (ORDER, "test_a_variation_that_is_gone_is_passed_over"),
        (ORDER, "test_bucketed_users_are_saved_to_the_profile_and_nobody_else"),
    ],
    "D6": [
        (BUCKETING, "test_missed_traffic_of_a_delivery_goes_straight_to_the_last_rule"),
        (ORDER, "test_the_last_rule_of_a_rollout_has_an_audience_too"),
        (ORDER, "test_a_local_holdout_stands_before_a_delivery_rule_too"),
    ],
    "D7": [(BUCKETING, "test_a_feature_rollout_gives_the_rest_of_its_traffic_to_the_last_delivery")],
    "D8": [
        (ORDER, "test_a_bandit_is_skipped_and_said_when_nothing_else_answers"),
        (CLASSIC, "test_a_fixed_variation_of_a_contextual_bandit_is_answered"),
    ],
    "D9": [(ORDER, "test_no_rule_beside_an_excluding_holdout_still_shows_the_holdout")],
    "B1": [
        (VECTORS, "test_hash_and_bucket_are_as_every_sdk_has_them"),
        (BUCKETING, "test_a_user_without_a_utf8_form_is_still_decided"),
    ],
    "B2": [(BUCKETING, "test_the_first_range_that_ends_past_the_bucket_wins")],
    "B3": [(VECTORS, "test_decisions_and_impressions_are_as_the_vectors_say")],
    "B4": [(BUCKETING, "test_experiments_of_a_random_group_exclude_one_another")],
    "B5": [(BUCKETING, "test_the_bucketing_id_moves_the_bucket_and_keeps_the_user_id")],
    "C1": [BY_VECTORS, BY_SDK],
    "C2": [BY_VECTORS, BY_SDK],
    "C3": [
        (PARSING, "test_an_unknown_match_is_unknown_and_warned_of"),
        (CONDITIONS, "test_no_json_makes_conditions_raise"),
    ],
    "C4": [
        (DECIDE, "test_a_null_attribute_is_as_an_absent_one"),
        (DECIDE, "test_an_attribute_that_conditions_cannot_read_is_unknown_and_named"),
    ],
    "C5": [BY_SDK, (CONDITIONS, "test_exact_strings_of_one_attribute_in_an_or_keep_three_answers")],
    "C6": [BY_VECTORS, BY_SDK],
    "C7": [BY_VECTORS, BY_SDK],
    "C8": [BY_VECTORS, (CONDITIONS, "test_versions_never_raise_and_a_version_equals_itself")],
    "C9": [
        (CONDITIONS, "test_decimal_digits_of_any_script_are_digits_and_superscripts_are_none"),
        (CONDITIONS, "test_a_number_of_many_digits_is_compared_by_value"),
    ],
    "C10": [BY_VECTORS, BY_SDK],
    "C11": [(CONDITIONS, "test_a_number_is_lower_than_a_word_in_a_pre_release")],
    "C12": [BY_VECTORS, BY_SDK],
    "C13": [BY_VECTORS, (DECIDE, "test_segments_come_with_the_call")],
    "V1": [(VARIABLES, "test_a_value_is_typed_or_null")],
    "V2": [(VARIABLES, "test_a_value_is_typed_or_null")],
    "V3": [
        (VARIABLES, "test_a_value_is_typed_or_null"),
        (VECTORS, "test_decisions_and_impressions_are_as_the_vectors_say"),
    ],
    "V4": [(VARIABLES, "test_a_mistyped_value_is_null_warned_of_and_among_the_reasons")],
    "V5": [(VARIABLES, "test_a_disabled_variation_keeps_the_defaults")],
    "V6": [(ORDER, "test_an_enabled_holdout_gives_the_default_variables")],
    "I1": [
        (ORDER, "test_deliveries_make_impressions_only_when_the_datafile_wants_them"),
        (ORDER, "test_other_experiments_do_not_answer_beside_an_excluding_holdout"),
        (DECIDE, "test_the_event_can_be_switched_off"),
    ],
    "I2": [
        (ORDER, "test_an_unknown_flag_is_a_decision_of_its_own_that_makes_no_impression"),
        (PARSING, "test_a_broken_experiment_disables_its_flag_alone_and_is_named"),
    ],
    "I3": [
        (ORDER, "test_a_flag_forced_decision_makes_an_impression_of_no_rule"),
        (ORDER, "test_a_delivery_forced_on_a_rule_is_a_rollout"),
    ],
    "I4": [
        (ORDER, "test_a_targeted_delivery_answers_beside_the_holdout_that_excludes_it"),
        (ORDER, "test_a_local_holdout_beside_an_excluding_one_makes_its_own_impression_alone"),
    ],
    "I5": [(DECIDE, "test_enabled_only_filters_the_answer_and_not_the_impressions")],
    "K1": [(CLASSIC, "test_a_delivery_rule_is_found_by_key_after_the_experiments")],
    "K2": [
        (CLASSIC, "test_without_a_variation_the_reason_says_why_and_there_is_no_impression"),
        (CLASSIC, "test_holdouts_and_forced_decisions_mean_nothing_to_an_experiment_by_key"),
    ],
    "K3": [
        (CLASSIC, "test_activate_makes_one_impression_of_the_experiment_enabled_whatever_its_variation_says"),
        (CLASSIC, "test_get_variation_answers_as_activate_does_and_records_nothing"),
    ],
    "K4": [(CLASSIC, "test_is_feature_enabled_makes_the_impressions_of_all_but_holdouts")],
    "K5": [(CLASSIC, "test_get_enabled_features_lists_what_is_on_and_records_every_flag")],
    "K6": [("rpc/test_classic", "test_all_variables_are_those_of_a_decide_without_its_impression")],
    "K7": [
        ("test_classic_variables", "test_a_variable_is_typed_and_says_where_it_comes_from"),
        ("test_classic_variables", "test_a_variation_that_is_off_gives_the_default"),
        ("rpc/test_classic", "test_a_variable_without_a_value_says_why"),
    ],
    "K8": [
        (KEPT, "test_a_forced_variation_counts_in_every_call_that_decides_until_it_is_removed"),
        (KEPT, "test_what_the_datafile_does_not_have_cannot_be_forced"),
        (KEPT, "test_a_forced_variation_that_is_gone_reads_as_none_and_is_passed_over"),
        ("e2e/test_two_projects", "test_what_is_forced_under_the_key_counts_under_the_name_and_in_no_other_project"),
    ],
    "K9": [
        (CLASSIC, "test_an_unknown_experiment_is_an_answer_and_nobody_is_told"),
        (CLASSIC, "test_an_unknown_flag_is_off_and_nobody_is_told"),
    ],
    "F1": [
        (PARSING, "test_a_datafile_of_the_wrong_shape_is_rejected_by_path"),
        (PARSING, "test_what_is_no_json_object_is_rejected"),
        (PARSING, "test_a_datafile_past_the_bound_is_rejected_unread"),
    ],
    "F2": [(PARSING, "test_versions_two_to_four_load")],
    "F3": [
        (PARSING, "test_a_number_is_read_as_its_string"),
        (PARSING, "test_absent_and_null_are_empty"),
        (PARSING, "test_a_missing_status_does_not_run"),
        (PARSING, "test_an_unknown_key_is_kept_out_of_the_way"),
        (PARSING, "test_a_byte_order_mark_is_passed_over"),
    ],
    "F4": [(PARSING, "test_a_broken_experiment_disables_its_flag_alone_and_is_named")],
    "F5": [(PARSING, "test_the_last_of_two_entities_with_one_key_wins_with_a_warning")],
    "F6": [
        (PARSING, "test_an_unreadable_audience_disables_the_flags_that_need_it"),
        (PARSING, "test_conditions_nested_past_the_bound_disable_the_flag"),
    ],
    "F7": [(PARSING, "test_a_broken_holdout_is_left_out_with_a_warning")],
    "F8": [(PARSING, "test_references_to_nothing_are_skipped_with_a_warning")],
    "G1": [("decision/test_description", "test_a_description_lists_rules_in_the_order_asked")],
    "G2": [("decision/test_description", "test_conditions_read_as_a_sentence")],
}
"""The tests, as (module below tests/, function), that fail when the rule is not obeyed."""

_RULE = re.compile(r"^\| ([A-Z]\d+) \| ", re.MULTILINE)
_NAMED = re.compile(r"\b([A-Z])(\d+)(?: to \1(\d+))?\b")


def rules() -> list[str]:
    return _RULE.findall(page("docs/semantics.md"))


@cache
def functions_of(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def named_in_the_code() -> frozenset[str]:
    """The ids that the daemon's modules name; a module's `Rules: C4 to C13` names what lies between too."""
    found = set()
    for path in (ROOT / "sidecar").rglob("*.py"):
        if "pb" in path.relative_to(ROOT).parts:
            continue
        for letter, first, last in _NAMED.findall(path.read_text(encoding="utf-8")):
            found |= {f"{letter}{number}" for number in range(int(first), int(last or first) + 1)}
    return frozenset(found)


def test_every_rule_has_an_id_of_its_own_and_a_test() -> None:
    assert len(set(rules())) == len(rules())
    assert list(SHOWN_BY) == rules()


@pytest.mark.parametrize("rule", SHOWN_BY)
def test_the_tests_and_the_code_of_a_rule_exist(rule: str) -> None:
    assert SHOWN_BY[rule]
    assert [name for module, name in SHOWN_BY[rule] if name not in functions_of(module)] == []
    assert rule in named_in_the_code()
