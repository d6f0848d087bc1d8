"""One row against the yardstick: both servers up on one core, loaded in turns, medians of the rounds.

Binding is CPU per call, of the whole process with the writing of its events, because wall time on a shared machine is
anybody's. Every call is accounted for: a real one before and after is judged, and what the server counted in between
must be what was sent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import grpc

from bench import h2load
from bench.daemon import Daemon, one_call
from bench.h2load import Shape
from bench.processes import Cores, Measured, started
from bench.requests import Asked

_SETTLE_S: Final = 0.05
"""After a load, so that what was offered last is committed and its cost is in the round that made it."""


@dataclass(frozen=True, slots=True)
class Round:
    """One load of one server: CPU per call, calls a second of wall time, median time of a call."""

    cpu_us: float
    rate: float
    median_us: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The rounds of both, taken in turns."""

    ours: Sequence[Round]
    yardstick: Sequence[Round]
    request_bytes: int
    reply_bytes: int

    @property
    def ratio(self) -> float:
        """CPU per call of the yardstick over ours: how many of our calls its one call is worth."""
        return _cpu_us(self.yardstick) / _cpu_us(self.ours)

    @property
    def slowdown(self) -> float:
        """Median time of a call, ours over the yardstick's."""
        return _median_us(self.ours) / _median_us(self.yardstick)

    def words(self, *, latency: bool = False) -> tuple[str, str]:
        """Ours and the yardstick's, in words."""
        if latency:
            return f"{_median_us(self.ours):.0f} µs median", f"{_median_us(self.yardstick):.0f} µs median"
        return _cpu_words(self.ours), _cpu_words(self.yardstick)

    def noise(self) -> str:
        """How far the rounds lie apart, and the sizes on the wire."""
        return (
            f"{len(self.ours)} rounds, CPU spread {_spread(self.ours):.0%} (yardstick "
            f"{_spread(self.yardstick):.0%}); {self.request_bytes} bytes in, {self.reply_bytes} out"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a row is loaded. `delivered` waits in each round until its events are delivered, and counts that too."""

    asked: Asked
    shape: Shape
    rounds: int
    cores: Cores
    delivered: bool = False


def compare(daemon: Daemon, plan: Plan, directory: Path) -> Compared:
    """Load the daemon and a bare echo of the same sizes in turns. Raises `RuntimeError` when an answer is wrong."""
    asked = plan.asked
    reply = _judged(daemon, asked)
    ours, yardstick = [], []
    with _echo(len(reply), plan.cores, directory) as (echo, address):
        if _echoed_bytes(address, asked) != len(reply):
            raise RuntimeError("the echo answers another size than it was told")
        for number in range(plan.rounds + 1):
            theirs = _round(echo, address, plan)
            mine = loaded(daemon, plan)
            if number:  # The first round of each warms it.
                yardstick.append(theirs)
                ours.append(mine)
    _judged(daemon, asked)
    return Compared(ours, yardstick, len(asked.request), len(reply))


def loaded(daemon: Daemon, plan: Plan) -> Round:
    """One round of the daemon. Raises `RuntimeError` unless it counted what was sent: calls, decisions, events."""
    if plan.delivered:
        daemon.flush()
    before = daemon.counted()
    taken = _round(daemon.process, daemon.address, plan, daemon if plan.delivered else None)
    after = daemon.counted()
    calls, asked = plan.shape.calls, plan.asked
    flushes = int(plan.delivered)
    wanted = {"calls": calls + flushes, "errors": 0, "decisions": calls * asked.decisions}
    wanted |= {"accepted": calls * asked.events}
    if plan.delivered:
        wanted |= {"delivered": calls * asked.events}
    got = {name: getattr(after, name) - getattr(before, name) for name in wanted}
    if got != wanted or not after.conserved:
        raise RuntimeError(f"the daemon counted {got}, wanted {wanted}; its counts add up: {after.conserved}")
    return taken


def _round(server: Measured, address: str, plan: Plan, flushed: Daemon | None = None) -> Round:
    calls = plan.shape.calls
    before_s = server.cpu_s()
    taken = h2load.load(address, plan.asked.method, plan.asked.request, plan.shape, plan.cores.load)
    if flushed is not None:
        flushed.flush()
    time.sleep(_SETTLE_S)
    return Round((server.cpu_s() - before_s) / calls * 1e6, calls / taken.wall_s, taken.median_s * 1e6)


def _judged(daemon: Daemon, asked: Asked) -> bytes:
    reply = daemon.call(asked.method, asked.request)
    if not asked.right(reply):
        raise RuntimeError(f"a wrong answer to {asked.method}: {reply!r}")
    return reply


def _echoed_bytes(address: str, asked: Asked) -> int:
    with grpc.insecure_channel(address) as channel:
        return len(one_call(channel, asked.method, asked.request))


@contextlib.contextmanager
def _echo(reply_bytes: int, cores: Cores, directory: Path) -> Iterator[tuple[Measured, str]]:
    arguments = ("-m", "bench.echo_server", str(reply_bytes))
    with started(arguments, cores.server, directory / "echo.log") as process:
        yield process, process.wait_for("listening on").split()[-1]


def _cpu_us(rounds: Sequence[Round]) -> float:
    return median(one.cpu_us for one in rounds)


def _median_us(rounds: Sequence[Round]) -> float:
    return median(one.median_us for one in rounds)


def _cpu_words(rounds: Sequence[Round]) -> str:
    return f"{_cpu_us(rounds):.0f} µs CPU, {median(one.rate for one in rounds):,.0f}/s"


def _spread(rounds: Sequence[Round]) -> float:
    costs = [one.cpu_us for one in rounds]
    return (max(costs) - min(costs)) / median(costs)
