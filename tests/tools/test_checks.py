"""Twin of tools/checks/__main__.py."""

import sys

import pytest

from tools.checks.__main__ import Step, main, run_all

HOLDS = Step(name="holds", command=(sys.executable, "-c", "print('noise')"))
FAILS = Step(name="fails", command=(sys.executable, "-c", "import sys; sys.exit('why it fails')"))


def test_a_check_that_holds_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all([HOLDS]) == 0
    assert capsys.readouterr().out.startswith("ok   holds (")


def test_a_check_that_speaks_is_heard_when_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    run_all([Step(name="speaks", command=HOLDS.command, speaks=True)])

    assert capsys.readouterr().out.splitlines()[1:] == ["     noise"]


def test_a_failure_shows_its_output_and_stops_no_other_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all([FAILS, HOLDS]) == 1

    said = capsys.readouterr().out
    assert "     why it fails\nok   holds (" in said
    assert said.endswith("1 of 2 checks failed: fails\n")


def test_a_name_that_no_check_has_is_refused() -> None:
    assert main(["no such check"]) == 2
