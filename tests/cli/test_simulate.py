"""`sidecar simulate`: shares, progress, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli.printing import watched
from tests.cli.conftest import Run, Write
from tests.decision.building import exact, holdout, rule, variation


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def by_variation(answer: Any) -> dict[str, tuple[float, float]]:
    return {one["variation_key"]: (one["expected"], one["actual"]) for one in answer["shares"]}


def test_twenty_thousand_users_are_within_a_percent_of_what_is_expected(run: Run, write: Write) -> None:
    traffic = [{"entityId": "701", "endOfRange": 3000}, {"entityId": "702", "endOfRange": 4500}]
    path = write(
        experiments=[rule(trafficAllocation=traffic)],
        holdouts=[holdout(trafficAllocation=[{"entityId": "501", "endOfRange": 1000}])],
    )
    ran = run("simulate", path, "--users", "20000", "--json")
    assert (ran.code, ran.json["users"], ran.err) == (0, 20_000, "")
    shares = by_variation(ran.json)
    expected = {"held": 0.1, "on": 0.9 * 0.3, "off": 0.9 * 0.15, "rest": 0.9 * 0.55}
    assert {key: share[0] for key, share in shares.items()} == pytest.approx(expected)
    assert {key: share[1] for key, share in shares.items()} == pytest.approx(expected, abs=0.01)


def test_attributes_decide_who_is_in(run: Run, write: Write, tmp_path: Path) -> None:
    path = write(
        typedAudiences=[{"id": "1", "name": "a", "conditions": exact("x", 5)}], experiments=[rule(audienceIds=["1"])]
    )
    users = tmp_path / "users.csv"
    users.write_text('user_id,x\na,5\nb,"""5"""\nc,\nd,6\n', encoding="utf-8")
    shares = by_variation(run("simulate", path, "--users", str(users), "--json").json)
    assert shares == {"on": (1.0, 0.25), "rest": (0.0, 0.75)}


def test_a_person_reads_percentages(run: Run, write: Write) -> None:
    ran = run("simulate", write(), "--users", "10")
    assert ran.out.splitlines()[1].split() == ["f", "on", "100.00%", "100.00%", "10"]
    assert "10 made-up users with no attributes" in ran.out


def test_only_the_flags_that_are_named_are_counted(run: Run, write: Write) -> None:
    ran = run("simulate", write(), "--flag", "nope")
    assert (ran.code, ran.out) == (2, "")
    assert "--flag is `nope`, wanted a flag of the datafile" in ran.err


def test_a_flag_that_is_disabled_gives_nobody_anything(run: Run, write: Write) -> None:
    answer = run("simulate", write(experiments=[rule(variations=[variation("", "")])]), "--users", "5", "--json").json
    assert by_variation(answer) == {"": (1.0, 1.0)}


def test_a_rejected_datafile_has_no_answer(run: Run, write: Write) -> None:
    ran = run("simulate", write(revision=None))
    assert (ran.code, ran.out) == (2, "")
    assert "datafile rejected: revision is absent" in ran.err


def test_a_terminal_sees_how_far_it_is() -> None:
    screen = Terminal()
    assert list(watched(range(600), 600, screen)) == list(range(600))
    assert screen.getvalue().startswith("\r0 of 600 users")
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_pipe_sees_no_progress() -> None:
    screen = io.StringIO()
    assert len(list(watched(range(600), None, screen))) == 600
    assert not screen.getvalue()
