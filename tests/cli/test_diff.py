"""`sidecar diff`: what is printed, who moves, and when it fails."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run, Write
from tests.decision.building import flag, rule

HALF = [{"entityId": "701", "endOfRange": 5000}]


def test_equal_files_differ_in_nothing(run: Run, write: Write) -> None:
    answer = run("diff", write("a.json"), write("b.json", revision="8"), "--json").json
    assert (answer["flags"], answer["settings"], answer["users_moved"], answer["over"]) == ([], [], 0, False)
    assert (answer["old_revision"], answer["new_revision"]) == ("7", "8")


def test_who_moves_is_counted(run: Run, write: Write) -> None:
    answer = run("diff", write("a.json"), write("b.json", experiments=[rule(trafficAllocation=HALF)]), "--json").json
    (changed,) = answer["flags"]
    assert (changed["flag_key"], changed["change"], changed["what"]) == ("f", "changed", ["rule `exp`: traffic"])
    assert answer["share_moved"] == changed["share_moved"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("limit", "code"), [("5%", 1), ("49%", 1), ("52%", 0), ("100%", 0)])
def test_more_than_the_limit_fails(run: Run, write: Write, limit: str, code: int) -> None:
    old, new = write("a.json"), write("b.json", experiments=[rule(trafficAllocation=HALF)])
    ran = run("diff", old, new, "--fail-over", limit)
    assert ran.code == code
    assert ("more than" if code else "within") in ran.out


def test_nobody_moving_is_within_a_limit_of_nothing(run: Run, write: Write) -> None:
    assert run("diff", write("a.json"), write("b.json"), "--fail-over", "0%").code == 0


def test_a_new_flag_moves_nobody_and_a_removed_one_everybody(run: Run, write: Write) -> None:
    one, two = write("a.json"), write("b.json", featureFlags=[flag(), flag("g", experimentIds=[])])
    added = run("diff", one, two, "--json").json
    assert [(change["flag_key"], change["change"]) for change in added["flags"]] == [("g", "added")]
    assert added["users_moved"] == 0
    removed = run("diff", two, one, "--json").json
    assert [(change["flag_key"], change["change"]) for change in removed["flags"]] == [("g", "removed")]
    assert removed["share_moved"] == 1.0


def test_only_the_flags_that_are_named_count(run: Run, write: Write) -> None:
    old = write("a.json", featureFlags=[flag(), flag("g", experimentIds=[])])
    new = write("b.json", featureFlags=[flag("g", experimentIds=[])])
    ran = run("diff", old, new, "--flag", "g", "--fail-over", "0%")
    assert (ran.code, "no flag changed in meaning" in ran.out) == (0, True)


def test_what_is_recorded_is_named_apart(run: Run, write: Write) -> None:
    ran = run("diff", write("a.json"), write("b.json", sendFlagDecisions=False))
    assert "send_flag_decisions is changed" in ran.out
    assert "no flag changed in meaning" in ran.out


@pytest.mark.parametrize("limit", ["5", "0.05", "-1%", "101%", "x%"])
def test_a_limit_is_a_percentage(run: Run, write: Write, limit: str) -> None:
    ran = run("diff", write("a.json"), write("b.json"), f"--fail-over={limit}")
    assert (ran.code, ran.out) == (2, "")
    assert f"--fail-over is `{limit}`, wanted a percentage" in ran.err


def test_one_standard_input_is_not_two_files(run: Run) -> None:
    ran = run("diff", "-", "-")
    assert (ran.code, "at most one from standard input" in ran.err) == (2, True)
