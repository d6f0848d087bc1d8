"""Bucketing and deciding in numbers: shares as the ranges say, experiments that know nothing of each other."""

from __future__ import annotations

from bench.scale_engine import independence, long_table, shares, time_per_flag_us


def test_variations_get_the_shares_of_their_ranges() -> None:
    for share in shares(200_000):
        assert share.chi_square < share.bound, share


def test_a_lopsided_count_is_beyond_the_bound() -> None:
    share = shares(200_000)[0]
    counts = list(share.counts)
    counts[0] += 2_000
    counts[1] -= 2_000
    assert share.of(counts).chi_square > share.bound


def test_experiments_are_independent_of_each_other() -> None:
    for pair in independence(200_000):
        assert pair.chi_square < pair.bound, pair


def test_two_experiments_of_one_id_are_not_independent() -> None:
    (pair,) = independence(20_000, [("exp-1", "exp-1")])
    assert pair.chi_square > pair.bound


def test_the_time_of_a_decision_does_not_grow_with_the_number_of_flags() -> None:
    few, many = time_per_flag_us((1_250, 5_000))
    # Both are past what a core's own cache holds. Were it not linear, four times as many would cost each four times.
    assert many < 2 * few


def test_the_long_form_prints_a_row_for_each_measure() -> None:
    lines = long_table(1_000, processes=1)
    assert len(lines) == len(shares(1_000)) + len(independence(1_000)) + 1
