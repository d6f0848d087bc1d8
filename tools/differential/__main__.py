"""`python -m tools.differential [--cases N] [--seed S] [--processes P]`: leaves with 1 when no ruling explains one."""

from __future__ import annotations

import argparse
import json
import sys
import time

from tools.differential.minimal import smallest
from tools.differential.rulings import TABLE
from tools.differential.running import Difference, Tally, compare, run

SHOWN_EVERY_S = 10.0


def main() -> int:
    """Run, print the counts, and every difference that no ruling explains."""
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="at least so many; a case is one flag for one caller")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    total, started, shown = Tally(), time.monotonic(), time.monotonic()
    for tally in run(arguments.cases, arguments.seed, arguments.processes):
        total.add(tally)
        if sys.stderr.isatty() and time.monotonic() - shown > SHOWN_EVERY_S:
            shown = time.monotonic()
            print(f"{total.cases} cases, {total.unexplained} without a ruling", file=sys.stderr)
    print_tally(total, time.monotonic() - started)
    for difference in total.kept:
        print(report(smallest(difference, compare)))
    return 1 if total.unexplained else 0


def print_tally(tally: Tally, took_s: float) -> None:
    """The counts, by ruling and by feature."""
    print(f"{tally.cases} cases of {tally.datafiles} datafiles in {took_s:.1f} s, {tally.cases / took_s:.0f} a second")
    print(f"{tally.differences} differences, {tally.unexplained} without a ruling\n\ndifferences by ruling")
    single = {ruling.id: ruling.says for ruling in TABLE}
    for id_, says in single.items():
        print(f"  {tally.rulings[id_]:9}  {id_:4} {says}")
    for together, number in sorted(tally.rulings.items()):
        if together not in single:
            print(f"  {number:9}  {together}")
    print("\ncases by feature")
    for feature, number in sorted(tally.features.items()):
        print(f"  {number:9}  {number / tally.cases:6.1%}  {feature}")


def report(difference: Difference) -> str:
    """One difference as JSON, to become a vector or a test."""
    said = {
        "flag_key": difference.case.flag_key,
        "person": difference.case.person.as_json(),
        "datafile": difference.case.datafile,
        "differs": sorted(difference.fields),
        "ours": difference.ours._asdict(),
        "reference": difference.theirs._asdict(),
    }
    return json.dumps(said, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
