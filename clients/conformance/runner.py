"""One scenario after the other: a sidecar for each language, side by side, the same steps, the lines compared.

What a line must be is in `canonical`, the sidecar in `stage`, the languages in `programs`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clients.conformance import vectors
from clients.conformance.canonical import line, unlike
from clients.conformance.programs import Language, Program
from clients.conformance.stage import Stage

HERE: Final = Path(__file__).parent
Known = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A file of `cases`, its steps made if they are to be."""

    name: str
    sidecar: Mapping[str, Any]
    steps: Sequence[dict[str, Any]]
    datafiles: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One step of one language that is not as it should be."""

    language: str
    scenario: str
    step: str
    what: str

    @property
    def place(self) -> str:
        """As known_failures.json names it."""
        return f"{self.scenario}/{self.step}"


def scenarios(names: Iterable[str] = ()) -> list[Scenario]:
    """Those of these names, else all. Raises SystemExit for a name that does not exist."""
    found = {path.stem: path for path in sorted((HERE / "cases").glob("*.json"))}
    chosen = list(names) or list(found)
    for name in chosen:
        if name not in found:
            raise SystemExit(f"scenario is `{name}`, wanted one of {', '.join(found)}")
    return [read(found[name]) for name in chosen]


def read(path: Path) -> Scenario:
    """A scenario from its file; the ids of its steps are unique, or it is refused."""
    given = json.loads(path.read_text())
    steps, datafiles = vectors.steps(given["vectors"]) if "vectors" in given else (given["steps"], {})
    ids = [step["id"] for step in steps]
    if len(set(ids)) != len(ids):
        raise SystemExit(f"{path.name} has the ids {sorted(one for one in ids if ids.count(one) > 1)} more than once")
    return Scenario(name=path.stem, sidecar=given["sidecar"], steps=steps, datafiles=datafiles)


def known_failures() -> Known:
    """The failures that are known, by language and place, each with its reason."""
    known: Known = json.loads((HERE / "known_failures.json").read_text())
    return known


def side_by_side(scenario: Scenario, chosen: Sequence[Language]) -> dict[str, list[bytes]]:
    """What each language answered to each step, by its name.

    Why all at once: most of a scenario is waiting. Why a sidecar for each: events of the same ids are repeats in one.
    """
    with ThreadPoolExecutor(len(chosen)) as pool:
        answers = pool.map(lambda language: lines_of(scenario, language), chosen)
        return dict(zip((language.name for language in chosen), answers, strict=True))


def lines_of(scenario: Scenario, language: Language) -> list[bytes]:
    """What one language, and the runner itself, answered to each step."""
    # Why /tmp: the path of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="conformance-", dir="/tmp") as directory:
        with Stage(Path(directory) / "s", scenario.sidecar, scenario.datafiles) as stage:
            program = Program(language, stage.environment)
            with program:
                answers = [_answer(step, stage, program) for step in scenario.steps]
        if program.complaints and any(map(unlike, answers, scenario.steps)):
            print(f"{language.name} said, in {scenario.name}:\n{program.complaints}")
        return answers


def _answer(step: dict[str, Any], stage: Stage, program: Program) -> bytes:
    if "call" in step:
        told = {key: value for key, value in step.items() if not key.startswith("expected")}
        return program.answer(told)
    return line({"id": step["id"], "result": stage.perform(step)})


def findings(scenario: Scenario, answers: Mapping[str, Sequence[bytes]]) -> list[Finding]:
    """Every step of every language that is not as expected, or not as the first language answered it."""
    found: list[Finding] = []
    first = next(iter(answers))
    for place, step in enumerate(scenario.steps):
        for language, lines in answers.items():
            what = unlike(lines[place], step)
            if not what and lines[place] != answers[first][place]:
                what = f"got {lines[place].decode()}, but {first} {answers[first][place].decode()}"
            if what:
                found.append(Finding(language=language, scenario=scenario.name, step=step["id"], what=what))
    return found


def judged(found: Sequence[Finding], known: Known, run: Mapping[str, Sequence[Scenario]]) -> list[str]:
    """What fails the run: failures that are not known, and known ones that pass or name no step."""
    places = {(one.language, one.place) for one in found}
    wrong = [
        f"{one.language}: {one.place}: {one.what}" for one in found if one.place not in known.get(one.language, {})
    ]
    for language, listed in known.items():
        ran = {f"{scenario.name}/{step['id']}" for scenario in run.get(language, ()) for step in scenario.steps}
        wrong += [
            f"{language}: {place} passes, take it from known_failures.json"
            for place in listed
            if place in ran and (language, place) not in places
        ]
    return wrong
