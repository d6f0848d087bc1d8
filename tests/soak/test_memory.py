"""Twin of tests/soak/memory.py: the line through samples is the line that they lie on."""

from __future__ import annotations

import pytest

from tests.soak.memory import Sample, across_kib_per_min, slope_kib_per_min


def test_lives_of_different_levels_share_one_slope() -> None:
    first = [Sample(at_s, 50_000 + at_s * 2) for at_s in range(20)]
    second = [Sample(at_s, 70_000 + at_s * 2) for at_s in range(100, 120)]
    assert slope_kib_per_min([first, second]) == pytest.approx(120)


def test_memory_that_stays_has_no_slope_and_nothing_has_none() -> None:
    assert slope_kib_per_min([[Sample(at_s, 50_000) for at_s in range(9)]]) == 0
    assert slope_kib_per_min([[]]) == 0


def test_what_a_restart_does_not_give_back_is_the_slope_of_the_last_samples() -> None:
    lives = [[Sample(at_s, 1_000), Sample(at_s + 10, 2_000 + at_s)] for at_s in (0, 60, 120)]
    assert across_kib_per_min(lives) == pytest.approx(60)
