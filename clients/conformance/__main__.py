"""`python -m clients.conformance [--language L …] [--scenario S …]`: 0 when all clients answer alike, as expected."""

from __future__ import annotations

import argparse
import sys

from clients.conformance.programs import Language, languages
from clients.conformance.runner import Scenario, findings, judged, known_failures, scenarios, side_by_side


def main(arguments: list[str]) -> int:
    """Run what is asked for, print a line a scenario and what is wrong, return the exit status."""
    reader = argparse.ArgumentParser(prog="python -m clients.conformance")
    reader.add_argument("--language", action="append", default=[], help="only these; missing ones are then an error")
    reader.add_argument("--scenario", action="append", default=[], help="only these files of cases/")
    asked = reader.parse_args(arguments)
    chosen = _chosen(asked.language)
    for language in chosen:
        language.make()
    wrong = _run(scenarios(asked.scenario), chosen)
    print("\n".join(wrong) or "all alike", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


def _chosen(names: list[str]) -> list[Language]:
    """The languages to run: those named, else those that are here."""
    listed = {one.name: one for one in languages()}
    for name in names:
        if name not in listed or not listed[name].is_here:
            raise SystemExit(f"language `{name}` is not here, wanted one of {', '.join(listed)} with what it needs")
    for one in listed.values():
        if not names and not one.is_here:
            print(f"{one.name}: left out, `{one.needs}` is not installed")
    return [one for one in listed.values() if (one.name in names if names else one.is_here)]


def _run(listed: list[Scenario], chosen: list[Language]) -> list[str]:
    """Every scenario in every language; what fails the run."""
    found = []
    for scenario in listed:
        answers = side_by_side(scenario, chosen)
        wrong = findings(scenario, answers)
        found += wrong
        print(f"{scenario.name}: {len(scenario.steps)} steps, {', '.join(answers)}: {len(wrong)} differ", flush=True)
    return judged(found, known_failures(), {language.name: listed for language in chosen})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
