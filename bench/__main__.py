"""`make bench`: the numbers that bind, measured in one run, as one table. What they mean: docs/performance.md.

    python -m bench [--short] [ROW…]

Leaves with 1 when a bound is missed or a row could not be measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from collections.abc import Sequence

from bench import machine, scale
from bench.processes import Cores
from bench.rows import ROWS, measured
from bench.table import FAILED, MISSED, render


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows that were asked for, all for none, and print them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the numbers that bind.")
    parser.add_argument("--short", action="store_true", help="fewer calls and rounds, no paced calls")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--transport", choices=("auto", "native", "grpcio"), default="auto", help="the sidecar's wire; both by default"
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all by default")
    given = parser.parse_args(arguments)
    if unknown := [key for key in given.rows if key not in ROWS]:
        parser.error(f"no row is called {', '.join(f'`{key}`' for key in unknown)}, wanted {', '.join(ROWS)}")
    # Why: ended by a signal, it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    cores = Cores.of_machine()
    sized = scale.tiny(cores) if given.tiny else scale.short(cores) if given.short else scale.whole(cores)
    sized = dataclasses.replace(sized, transport=given.transport)
    rows = list(measured(given.rows or ROWS, sized))
    print(f"{machine.described(cores)}\n\n{render(rows)}")
    return 1 if any(row.verdict in (MISSED, FAILED) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
