"""Very many calls, and resident memory stays where it was. CI runs few; `make wire-soak` runs ten million.

The destination is down, so that what is accepted stays on disk: memory must not follow.
"""

from __future__ import annotations

import os
import statistics

import pytest

from bench import h2load
from bench.h2load import Shape
from bench.processes import Cores
from tests.support.daemon import Daemon
from tests.support.neighbours import DECIDE, Memory, decide_request

CALLS = int(os.environ.get("WIRE_CALLS", "20000"))
ROUNDS = 20
GROWTH_MIB_MAX = 4.0
"""From the first quarter on: what fills in the first calls (SQLite's cache, the interpreter's arenas) is there by then,
and what remembers accepted ids grows to its bound."""


@pytest.mark.skipif(bool(h2load.missing()), reason=h2load.missing() or "h2load is here")
@pytest.mark.timeout(max(120, CALLS // 500))
def test_memory_is_flat_however_many_calls_there_were(fresh_daemon: Daemon) -> None:
    memory, load_core = Memory(fresh_daemon.pid), Cores.of_machine().load
    shape = Shape(calls=CALLS // ROUNDS, streams=16)
    held_mib = []
    for _ in range(ROUNDS):
        h2load.load(fresh_daemon.address, DECIDE, decide_request(), shape, load_core)
        held_mib.append(memory.resident_mib())
    later = held_mib[ROUNDS // 4 :]
    slope = statistics.linear_regression(range(len(later)), later).slope / shape.calls * 1e6
    print(  # noqa: T201 - the figures of the long form, shown with -s
        f"\n{CALLS:,} calls: {memory.before_mib:.1f} MiB before, {held_mib[0]:.1f} after a twentieth, "
        f"{later[0]:.1f} after a quarter, {later[-1]:.1f} at the end, {max(held_mib):.1f} at most; "
        f"{slope:+.2f} MiB a million calls from the first quarter on; by twentieths: "
        f"{', '.join(f'{one:.1f}' for one in held_mib)}"
    )
    # Why medians: what was offered and waits for its commit is a few MiB at one moment and nothing at the next.
    quarter = ROUNDS // 4
    assert statistics.median(held_mib[-quarter:]) - statistics.median(later[:quarter]) < GROWTH_MIB_MAX
