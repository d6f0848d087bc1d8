"""`make bench`: the numbers that bind, measured in one run, as one table. What they mean: docs/performance.md.

    python -m bench [--short] [ROW…]

Leaves with 1 when a bound is missed or a row could not be measured right.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias

import grpc

from bench import process_rows, scale
from bench.processes import Cores
from bench.reload_row import reload
from bench.scale import Scale
from bench.table import FAILED, MISSED, Row, render
from bench.wire_rows import WIRE_ROWS

Measure: TypeAlias = Callable[[Scale], Iterator[Row]]

ROWS: Final[Mapping[str, Measure]] = {
    "engine": process_rows.engine,
    **{key: row.measure for key, row in WIRE_ROWS.items()},
    "memory": process_rows.memory,
    "start": process_rows.start,
    "reload": reload,
}
_LIBRARIES: Final = ("grpcio", "protobuf", "uvloop", "msgspec", "aiohttp", "optimizely-sdk")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows that were asked for, all for none, and print them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="fewer calls and rounds, no paced calls")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all by default")
    given = parser.parse_args(arguments)
    if unknown := [key for key in given.rows if key not in ROWS]:
        parser.error(f"no row is called {', '.join(f'`{key}`' for key in unknown)}, wanted {', '.join(ROWS)}")
    cores = Cores.of_machine()
    sized = scale.tiny(cores) if given.tiny else scale.short(cores) if given.short else scale.whole(cores)
    rows = list(_measured(given.rows or ROWS, sized))
    print(f"{machine(cores)}\n\n{render(rows)}")
    return 1 if any(row.verdict in (MISSED, FAILED) for row in rows) else 0


def machine(cores: Cores) -> str:
    """What the figures were measured on, in two lines."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{len(models)} cores of {models[0] if models else platform.machine()}, {platform.system()} "
        f"{platform.release()}; server on core {cores.server}, load on core {cores.load}\n"
        f"{platform.python_implementation()} {platform.python_version()}, {libraries}"
    )


def _measured(keys: Iterable[str], sized: Scale) -> Iterator[Row]:
    for key in keys:
        print(f"measuring {key} …", file=sys.stderr, flush=True)
        try:
            yield from ROWS[key](sized)
        except (RuntimeError, OSError, subprocess.SubprocessError, grpc.RpcError) as failed:
            # Why caught: the other rows are worth their hour all the same, and this one says why it has no figure.
            yield Row(name=key, failed=f"{type(failed).__name__}: {failed}")


if __name__ == "__main__":
    sys.exit(main())
