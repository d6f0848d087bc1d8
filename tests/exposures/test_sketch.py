"""The sketch: what it remembers, for how long, how often it is wrong, and how much memory it takes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.exposures.sketch import FALSE_SEEN_RATE_MAX, SLOT_BYTES, STEPS_KEPT, WAYS, Sketch

BYTES = 120_000
SLOTS = BYTES // SLOT_BYTES // WAYS * WAYS
FULL_SHARE = 0.7
"""The share of slots up to which docs/decisions/0041-exposures.md promises the loss below."""
LOST_RATE_MAX = 0.02


def filled(pairs: int) -> tuple[Sketch, int]:
    """A sketch with this many users of one experiment, and how many it had to forget for others."""
    sketch = Sketch(BYTES)
    return sketch, sum(sketch.record(f"user-{number}", "exp", 0) for number in range(pairs))


def test_what_was_not_recorded_is_not_seen() -> None:
    sketch = Sketch(BYTES)
    sketch.record("ada", "exp", 0)
    assert sketch.seen("ada", "exp", 0)
    assert not sketch.seen("ada", "other", 0)
    assert not sketch.seen("bob", "exp", 0)


def test_an_empty_sketch_has_seen_nobody() -> None:
    sketch = Sketch(48)
    assert not any(sketch.seen(f"user-{number}", "exp", 0) for number in range(20_000))


@pytest.mark.parametrize("user_id", ["", "\0", "ü", "😀", "\ud800", "u" * 65_536])
def test_any_user_id_can_be_remembered(user_id: str) -> None:
    sketch = Sketch(BYTES)
    sketch.record(user_id, "exp", 0)
    assert sketch.seen(user_id, "exp", 0)


@pytest.mark.parametrize("share", [0.2, FULL_SHARE, 1.5], ids=["sparse", "usual", "overfull"])
def test_false_answers_seen_are_as_rare_as_stated_however_full(share: float) -> None:
    sketch, _ = filled(int(SLOTS * share))
    asked = 100_000
    wrong = sum(sketch.seen(f"user-{number}", "another", 0) for number in range(asked))
    # Three standard deviations above the bound, so that chance alone does not fail the test.
    bound = asked * FALSE_SEEN_RATE_MAX
    assert wrong <= bound + 3 * bound**0.5
    assert share < FULL_SHARE or wrong > 0, "at this size some are expected: else the test measures nothing"


def test_up_to_the_stated_load_few_are_forgotten_for_want_of_room() -> None:
    pairs = int(SLOTS * FULL_SHARE)
    sketch, crowded_out = filled(pairs)
    missing = sum(not sketch.seen(f"user-{number}", "exp", 0) for number in range(pairs))
    assert crowded_out == pytest.approx(missing, abs=pairs * 0.001)
    assert 0 < missing / pairs < LOST_RATE_MAX


def test_an_overfull_sketch_forgets_the_oldest_first() -> None:
    sketch = Sketch(BYTES)
    for step in range(4):
        for number in range(SLOTS // 2):
            sketch.record(f"user-{step}-{number}", "exp", step)
    kept = [
        sum(sketch.seen(f"user-{step}-{number}", "exp", 3) for number in range(SLOTS // 2)) / (SLOTS // 2)
        for step in range(4)
    ]
    assert kept[3] > 0.98
    assert kept[2] > 0.7
    assert kept[0] < 0.1


def test_repeats_of_a_pair_take_one_slot() -> None:
    sketch = Sketch(BYTES)
    assert not any(sketch.record("ada", "exp", step) for step in range(1_000))
    assert sketch.remembered() == 1


def test_memory_is_what_was_allowed_whatever_is_recorded() -> None:
    sketch, _ = filled(SLOTS * 2)
    held = sketch.fingerprints.buffer_info()[1] * sketch.fingerprints.itemsize + len(sketch.steps)
    assert held == sketch.size_bytes
    assert BYTES - WAYS * SLOT_BYTES < held <= BYTES


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_pair_is_remembered_for_the_window_and_a_step_at_most() -> None:
    sketch = Sketch(BYTES)
    sketch.record("ada", "exp", 5)
    assert sketch.seen("ada", "exp", 5 + STEPS_KEPT)
    assert not sketch.seen("ada", "exp", 5 + STEPS_KEPT + 1)
    assert sketch.remembered() == 0


def test_recording_again_begins_the_window_anew() -> None:
    sketch = Sketch(BYTES)
    sketch.record("ada", "exp", 0)
    sketch.record("ada", "exp", STEPS_KEPT)
    assert sketch.seen("ada", "exp", 2 * STEPS_KEPT)


def test_an_expired_pair_makes_room_and_is_not_counted_as_crowded_out() -> None:
    sketch = Sketch(48)
    for number in range(WAYS):
        sketch.record(f"user-{number}", "exp", 0)
    assert not any(sketch.record(f"later-{number}", "exp", STEPS_KEPT + 1) for number in range(WAYS))
    assert sketch.record("one too many", "exp", STEPS_KEPT + 1)


@given(
    gaps=st.lists(st.integers(0, 400), min_size=1, max_size=30),
    users=st.lists(st.sampled_from("abcdef"), min_size=30, max_size=30),
)
def test_over_any_course_of_time_it_answers_like_a_dictionary(gaps: list[int], users: list[str]) -> None:
    sketch, last = Sketch(BYTES), dict[str, int]()
    for step, user_id in zip(itertools.accumulate(gaps), users, strict=False):
        for asked in "abcdef":
            assert sketch.seen(asked, "exp", step) == (asked in last and step - last[asked] <= STEPS_KEPT)
        sketch.record(user_id, "exp", step)
        last[user_id] = step


@given(
    recorded=st.integers(0, 600),
    later=st.integers(0, 120),
    passed=st.integers(0, 120),
    stretch=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_a_restored_sketch_goes_on_at_the_age_that_was_saved(
    recorded: int, later: int, passed: int, stretch: float
) -> None:
    before, after = Sketch(BYTES), Sketch(BYTES)
    before.record("ada", "exp", recorded)
    before.seen("ada", "exp", recorded + later)
    after.restore(
        before.fingerprints.tobytes(),
        bytes(before.steps),
        saved_step=before.step,
        stretch=stretch,
        passed_steps=passed,
    )
    age = int(later * stretch) + passed
    alive = later <= STEPS_KEPT and age <= STEPS_KEPT
    assert after.seen("ada", "exp", 0) == alive
    if alive:
        assert after.seen("ada", "exp", STEPS_KEPT - age)
        assert not after.seen("ada", "exp", STEPS_KEPT - age + 1)
