"""The rows of the process: what a start costs, what memory it holds, and the engine without a process around it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import grpc

from bench import h2load
from bench.comparison import Plan, loaded
from bench.daemon import Configured, Daemon, nobody, running
from bench.h2load import Shape
from bench.processes import Cores, Measured
from bench.reload_row import RELOAD, two_revisions
from bench.requests import DATAFILE, FLAGS, decide
from bench.scale import Scale
from bench.servers import GRPCIO, NATIVE
from bench.table import Row
from sidecar.pb import datafile_pb2

START_S_MAX: Final[Mapping[str, float]] = {NATIVE: 0.6, GRPCIO: 0.8}
MEMORY_MIB_MAX: Final[Mapping[str, float]] = {NATIVE: 64.0, GRPCIO: 72.0}
GROWTH_MIB_MAX: Final = 4.0
"""What counts as none: SQLite's cache and the interpreter's arenas fill in the first calls, and rounding."""
LARGE_TIMES_MAX: Final = 6.0
RELOAD_TIMES_MAX: Final = 12.0
_MIB: Final = 2**20


def start(scale: Scale) -> Iterator[Row]:
    """CPU of a start until SERVING on each wire, its bytecode compiled by a start before it."""
    for wire, absent in scale.wires().items():
        row = Row(name=f"start to SERVING, CPU, {wire}", unit="s", bound=START_S_MAX[wire], at_most=True)
        if absent:
            yield replace(row, skipped=absent)
            continue
        costs = []
        for number in range(scale.starts + 1):
            with _sidecar(wire, scale.cores) as daemon:
                if number:
                    costs.append(daemon.serving_cpu_s)
        note = f"median of {len(costs)} starts, {min(costs):.2f} to {max(costs):.2f} s"
        yield replace(row, figure=median(costs), note=note)


def memory(scale: Scale) -> Iterator[Row]:
    """Resident memory at rest and after many decisions on each wire; of a large datafile on the first."""
    idle: dict[str, float] = {}
    for wire, absent in scale.wires().items():
        if reason := h2load.missing() or absent:
            yield replace(_memory_row(wire, "", 0.0, ""), skipped=reason)
            continue
        for row in _memory(scale, wire):
            idle.setdefault(wire, row.figure)
            yield row
    if idle:
        wire = next(iter(idle))
        yield from _large(scale, wire, idle[wire])


def _memory(scale: Scale, wire: str) -> Iterator[Row]:
    """Idle first."""
    asked, calls = decide(), max(1, scale.decisions // FLAGS // 4)
    plan = Plan(asked=asked, shape=Shape(calls=calls), rounds=4, cores=scale.cores)
    with _sidecar(wire, scale.cores) as daemon:
        process = daemon.process
        idle, own = process.memory_mib(), process.memory_mib("RssAnon")
        yield _memory_row(wire, "idle", idle, f"{own:.1f} MiB its own, the rest the files of libraries")
        after = []
        for _ in range(plan.rounds):
            loaded(daemon, plan)
            after.append(process.memory_mib())
    done = calls * plan.rounds * FLAGS
    by_quarter = f"after each quarter: {', '.join(f'{one:.1f}' for one in after)} MiB; destination down"
    yield _memory_row(wire, f"{done:,} decisions", after[-1], by_quarter)
    yield Row(
        name=f"its growth after the first quarter, {wire}",
        figure=after[-1] - after[0],
        unit="MiB",
        bound=GROWTH_MIB_MAX,
        at_most=True,
    )


@contextlib.contextmanager
def _sidecar(wire: str, cores: Cores, datafile: Path = DATAFILE) -> Iterator[Daemon]:
    """A sidecar whose destination is down."""
    with (
        tempfile.TemporaryDirectory() as name,
        nobody() as endpoint,
        running(Configured(datafile=datafile, endpoint=endpoint, transport=wire), cores, Path(name)) as daemon,
    ):
        yield daemon


def _memory_row(wire: str, what: str, mib: float, note: str) -> Row:
    name = ", ".join(part for part in ("resident", what, wire) if part)
    return Row(name=name, figure=mib, unit="MiB", bound=MEMORY_MIB_MAX[wire], at_most=True, note=note)


def _large(scale: Scale, wire: str, idle_mib: float) -> Iterator[Row]:
    # Why here: the engine's row needs the SDK, and this one its maker of large datafiles, which imports it.
    from bench.engine import large_datafile  # noqa: PLC0415 - see above

    bodies = two_revisions(large_datafile(scale.large_bytes))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "datafile.json")
        path.write_bytes(bodies[0])
        with _sidecar(wire, scale.cores, path) as daemon:
            times = partial(_times, daemon.process, idle_mib, len(bodies[0]))
            added, peak = times("VmRSS"), times("VmHWM")
            for body in (bodies[1], bodies[0]):
                path.write_bytes(body)
                _reload(daemon)
            after, reload_peak = times("VmRSS"), times("VmHWM")
    size = f"a datafile of {len(bodies[0]) / 1e6:.1f} MB"
    note = f"times its size, at rest after a start; {peak:.1f} times at the peak of that start"
    yield Row(name=f"{size}, memory added", figure=added, unit="×", bound=LARGE_TIMES_MAX, at_most=True, note=note)
    note = f"times its size; at rest after two reloads {after:.1f} times"
    yield Row(
        name=f"{size}, peak of a reload",
        figure=reload_peak,
        unit="×",
        bound=RELOAD_TIMES_MAX,
        at_most=True,
        note=note,
    )


def _times(process: Measured, idle_mib: float, size: int, field: str) -> float:
    return (process.memory_mib(field) - idle_mib) * _MIB / size


def _reload(daemon: Daemon) -> None:
    """Ask for a reload and wait until it is applied."""
    with grpc.insecure_channel(daemon.address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(RELOAD)
        reply = datafile_pb2.ReloadResponse.FromString(call(b"", timeout=120.0))
        if not reply.changed:
            raise RuntimeError(f"a reload changed nothing: {reply}")


def engine(scale: Scale) -> Iterator[Row]:
    """One decision in this process against optimizely-sdk, same datafile, same users."""
    from bench import engine as measured  # noqa: PLC0415 - loads the SDK, which the other rows do without
    from sidecar.decision import load  # noqa: PLC0415 - as above

    theirs_n = max(20, scale.calls // 20)
    sizes = {"rounds": 4 * scale.rounds + 1, "ours_n": 20 * theirs_n, "theirs_n": theirs_n}
    revision = json.loads(DATAFILE.read_text())["revision"]
    for name, ours_us, theirs_us in measured.compare(load(DATAFILE.read_bytes()), **sizes):
        yield Row(
            name=f"engine, one flag, {name}",
            ours=f"{ours_us:.2f} µs CPU",
            yardstick=f"{theirs_us:.0f} µs CPU",
            figure=theirs_us / ours_us,
            bound=measured.BOUND,
            note=f"yardstick: optimizely-sdk 5.7.0, its impression dropped; revision {revision} of the 20 flags",
        )
