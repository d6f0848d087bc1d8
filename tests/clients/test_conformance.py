"""The conformance of all clients that are here, scenario by scenario, and the judgement of `make conformance`."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clients.conformance import runner
from clients.conformance.canonical import line, unlike
from clients.conformance.programs import Language, Program, languages
from clients.conformance.runner import Finding, Scenario
from tests.support.toolchains import alone, require

LANGUAGES = {one.name: one for one in languages()}
CASES = sorted(path.stem for path in (runner.HERE / "cases").glob("*.json"))
STEP = {"id": "s", "expected": {"flag_key": "f", "variables": {"n": {"int": "1"}}}}


@cache
def made(name: str) -> Language:
    """A language whose program is built, once for all tests."""
    language = LANGUAGES[name]
    with alone(language.needs):
        language.make()
    return language


# Why so long: from a clean clone, the first build downloads what it needs.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LANGUAGES)
def test_the_program_of_each_language_is_built(name: str) -> None:
    """Skips, or in CI fails, for a language whose toolchain is not here; the scenarios then leave it out."""
    if LANGUAGES[name].needs:
        require(LANGUAGES[name].needs)
    assert made(name).is_here


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_every_client_answers_as_expected_and_as_all_others(name: str) -> None:
    (scenario,) = runner.scenarios([name])
    chosen = [made(language.name) for language in LANGUAGES.values() if language.is_here]
    found = runner.findings(scenario, runner.side_by_side(scenario, chosen))
    assert runner.judged(found, runner.known_failures(), {language.name: [scenario] for language in chosen}) == []


def test_the_five_languages_are_listed_and_python_on_both_of_its_transports() -> None:
    assert set(LANGUAGES) == {"python", "python-grpcio", "go", "java", "typescript", "rust"}


@pytest.mark.parametrize("name", CASES)
def test_every_scenario_says_what_it_shows_and_begins_with_a_connection(name: str) -> None:
    assert json.loads((runner.HERE / "cases" / f"{name}.json").read_text())["description"]
    (scenario,) = runner.scenarios([name])
    assert scenario.steps[0]["call"] == "connect"


def answered(**result: Any) -> bytes:
    return line({"id": "s", "result": result})


def test_an_answer_with_the_members_expected_passes() -> None:
    assert unlike(answered(flag_key="f", variables={"n": {"int": "1"}}, more=1), STEP) == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answered(flag_key="g", variables={"n": {"int": "1"}}), "flag_key: got g, wanted f"),
        (answered(flag_key="f", variables={"n": {"int": "1"}, "m": None}), "variables: got"),
        (line({"id": "t", "result": {}}), "id is 't'"),
        (line({"id": "s", "error": {"kind": "NotReady"}}), "an error"),
        (b'{"id": "s"}', "not canonical"),
        (b'{"result":{},"id":"s"}', "not canonical"),
        (b'{"id":"s","result":"\\u00fc"}', "not canonical"),
        (b"Traceback", "no JSON"),
    ],
)
def test_an_answer_that_is_not_as_expected_says_why(answer: bytes, why: str) -> None:
    assert why in unlike(answer, STEP)


def test_a_boolean_is_no_number() -> None:
    assert unlike(line({"id": "s", "result": 1}), {"id": "s", "expected": True}) != ""


def test_an_expected_error_must_be_one() -> None:
    wanted = {"id": "s", "expected_error": {"kind": "Refused"}}
    assert unlike(answered(), wanted) != ""
    assert unlike(line({"id": "s", "error": {"kind": "Refused", "code": "RESOURCE_EXHAUSTED"}}), wanted) == ""


def scenario_of(*steps: dict[str, Any]) -> Scenario:
    return Scenario(name="x", sidecar={}, steps=steps, datafiles={})


def test_languages_that_differ_are_found_though_both_are_as_expected() -> None:
    scenario = scenario_of({"id": "s", "call": "decide"})
    answers = {"python": [answered(a=1)], "other": [answered(a=2)]}
    assert [one.place for one in runner.findings(scenario, answers)] == ["x/s"]
    assert runner.findings(scenario, {**answers, "other": [answered(a=1)]}) == []


def test_a_known_failure_is_passed_over() -> None:
    found = [Finding(language="other", scenario="x", step="s", what="odd")]
    run = {"other": [scenario_of({"id": "s"})]}
    assert runner.judged(found, {}, run) != []
    assert runner.judged(found, {"other": {"x/s": "not there yet"}}, run) == []


def test_a_known_failure_that_passes_fails_the_run() -> None:
    run = {"other": [scenario_of({"id": "s"})]}
    (wrong,) = runner.judged([], {"other": {"x/s": "not there yet"}}, run)
    assert "passes" in wrong


def test_a_known_failure_of_a_scenario_that_did_not_run_is_left_alone() -> None:
    assert runner.judged([], {"other": {"y/s": "not there yet"}}, {"other": [scenario_of({"id": "s"})]}) == []


def test_a_program_that_ends_is_told_apart_from_one_that_answers(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys\nprint(sys.stdin.readline().strip(), flush=True)\n")
    language = Language(name="echo", needs="", build=(), command=(sys.executable, str(program)))
    with Program(language, {}) as echo:
        assert json.loads(echo.answer({"id": "s"})) == {"id": "s"}
        assert echo.answer({"id": "t"}) == b"the program has ended"


def test_lines_are_sorted_by_code_units_of_utf_16() -> None:
    assert line({"\ufb33": 1, "\U0001f600": 2, "a": "\u2028\u007f\n\u0001"}) == (
        '{"a":"\u2028\u007f\\n\\u0001","\U0001f600":2,"\ufb33":1}'.encode()
    )
