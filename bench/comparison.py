"""Servers loaded in turns on one core, in one run: what a call costs each of them, medians of the rounds.

Binding is CPU per call, of the whole process with the writing of its events, because wall time on a shared machine is
anybody's. Every call of ours is accounted for: a real one before and after is judged, and what the daemon counted in
between must be what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from bench import h2load
from bench.daemon import Daemon
from bench.h2load import Shape
from bench.processes import Cores
from bench.requests import Asked
from bench.servers import CALLS_SHARE, NATIVE, Server

SETTLE_S: Final = 0.05
"""After a load, so that what was offered last is committed and its cost is in the round that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One load of one server: CPU per call, calls a second of wall time, times of a call, memory after it."""

    cpu_us: float
    rate: float
    median_us: float
    p99_us: float
    memory_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The rounds of one server, and their medians."""

    name: str
    rounds: Sequence[Round]

    @property
    def cpu_us(self) -> float:
        """CPU per call, microseconds."""
        return median(one.cpu_us for one in self.rounds)

    @property
    def rate(self) -> float:
        """Calls a second, of wall time."""
        return median(one.rate for one in self.rounds)

    @property
    def median_us(self) -> float:
        """The median time of a call, microseconds."""
        return median(one.median_us for one in self.rounds)

    @property
    def p99_us(self) -> float:
        """What one call in a hundred takes or more, microseconds."""
        return median(one.p99_us for one in self.rounds)

    @property
    def memory_mib(self) -> float:
        """Resident after the last round."""
        return self.rounds[-1].memory_mib

    @property
    def spread(self) -> float:
        """How far the CPU of the rounds lies apart, of its median."""
        costs = [one.cpu_us for one in self.rounds]
        return (max(costs) - min(costs)) / self.cpu_us

    def words(self) -> str:
        """What a call costs, for a row whose figure is a ratio of CPU."""
        return f"{self.cpu_us:.1f} µs CPU, {self.rate:,.0f}/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How each server is loaded. `delivered` waits in each round until its events are delivered, and counts that too.

    The calls of `shape` are those of the scale: each server gets its share of them, see `bench.servers`.
    """

    asked: Asked
    shape: Shape
    rounds: int
    cores: Cores
    delivered: bool = False

    def of(self, server: Server) -> Plan:
        """The same with this server's share of the calls."""
        calls = max(1, round(self.shape.calls * CALLS_SHARE[server.name]))
        return replace(self, shape=replace(self.shape, calls=calls))


def compare(servers: Sequence[Server], plan: Plan) -> Mapping[str, Taken]:
    """Load the servers in turns. Raises `RuntimeError` when an answer or a count is wrong."""
    rounds: dict[str, list[Round]] = {server.name: [] for server in servers}
    for number in range(plan.rounds + 1):
        for server in servers:
            taken = _round(server, plan.of(server))
            if number:  # The first round of each warms it.
                rounds[server.name].append(taken)
    for server in servers:
        if server.daemon is not None:
            judged(server.daemon, plan.asked)
    return {name: Taken(name=name, rounds=taken) for name, taken in rounds.items()}


def loaded(daemon: Daemon, plan: Plan) -> Round:
    """One round of the daemon alone, of all the plan's calls. Raises as `compare`."""
    return _round(Server(name=NATIVE, process=daemon.process, address=daemon.address, daemon=daemon), plan)


def judged(daemon: Daemon, asked: Asked) -> bytes:
    """The answer to one real call. Raises `RuntimeError` when it is wrong."""
    reply = daemon.call(asked.method, asked.request)
    if not asked.right(reply):
        raise RuntimeError(f"a wrong answer to {asked.method}: {reply!r}")
    return reply


def _round(server: Server, plan: Plan) -> Round:
    daemon = server.daemon
    if daemon is None:
        return _load(server, plan)
    if plan.delivered:
        daemon.flush()
    before = daemon.counted()
    taken = _load(server, plan)
    after = daemon.counted()
    calls, asked, flushes = plan.shape.calls, plan.asked, int(plan.delivered)
    wanted = {"calls": calls + flushes, "errors": 0, "decisions": calls * asked.decisions}
    wanted |= {"accepted": calls * asked.events}
    if plan.delivered:
        wanted |= {"delivered": calls * asked.events}
    got = {name: getattr(after, name) - getattr(before, name) for name in wanted}
    if got != wanted or not after.conserved:
        raise RuntimeError(f"the daemon counted {got}, wanted {wanted}; its counts add up: {after.conserved}")
    return taken


def _load(server: Server, plan: Plan) -> Round:
    calls, process = plan.shape.calls, server.process
    before_s = process.cpu_s()
    taken = h2load.load(server.address, plan.asked.method, plan.asked.request, plan.shape, plan.cores.load)
    if plan.delivered and server.daemon is not None:
        server.daemon.flush()
    time.sleep(SETTLE_S)
    return Round(
        cpu_us=(process.cpu_s() - before_s) / calls * 1e6,
        rate=calls / taken.wall_s,
        median_us=taken.median_s * 1e6,
        p99_us=taken.p99_s * 1e6,
        memory_mib=process.memory_mib(),
    )
