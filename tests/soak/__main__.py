"""The soak as a command.

    python -m tests.soak [--seconds 600] [--tracks 500] [--decides 2000] [--kill-every 20]
        [--last-life 120] [--seed 1]

Prints what was done and found as a table; leaves with 1 when an accepted event was lost or the counts do not add up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--tracks", type=int, default=500, help="Track calls a second that are tried for")
    parser.add_argument("--decides", type=int, default=2_000, help="Decide calls a second that are tried for")
    parser.add_argument("--kill-every", type=float, default=20.0, help="seconds from one SIGKILL to the next")
    parser.add_argument("--last-life", type=float, default=120.0, help="of the seconds: the last process, not killed")
    parser.add_argument("--seed", type=int, default=1, help="of the collector's moods")
    given = parser.parse_args()
    plan = Plan(
        seconds=given.seconds,
        tracks_per_s=given.tracks,
        decides_per_s=given.decides,
        kill_every_s=given.kill_every,
        last_life_s=given.last_life,
        seed=given.seed,
    )
    with tempfile.TemporaryDirectory() as directory:
        outcome = asyncio.run(run(plan, Path(directory)))
    print(outcome.table())  # noqa: T201 - the table is what it is run for
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
