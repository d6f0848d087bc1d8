"""The row of reloads: the 99th percentile of Decide at a steady pace, without and with a large datafile coming in.

The pace is open: see `bench.pacing`. Without and with take turns, and the medians are compared: a neighbour that keeps
the core for a tenth of a second is the 99th percentile of the round it falls into, whichever that is.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import uvloop
from grpc import aio

from bench.daemon import Configured, Daemon, nobody, running
from bench.pacing import Paced, p99_ms, pace
from bench.requests import decide
from bench.scale import Scale
from bench.table import Row
from sidecar.pb import datafile_pb2, decision_pb2

TIMES_MAX: Final = 3.0
_NAME: Final = "p99 of Decide at 1,000/s, 10 MB reloading"
RELOAD: Final = "/sidecar.v1.DatafileService/Reload"
_FLAG_KEYS: Final = tuple(f"c0flag_{number}" for number in range(5))
_REQUEST: Final = decide(*_FLAG_KEYS).request
_OTHER: Final = "-other"
ROUNDS: Final = 5
_WARM_S: Final = 2.0
_QUIET_S: Final = 0.3
"""Between two rounds, for the second look at the file that its watch asks for."""


def reload(scale: Scale) -> Iterator[Row]:
    """Start a sidecar on the large datafile and pace calls at it."""
    if not scale.paced_s:
        yield Row(name=_NAME, bound=TIMES_MAX, at_most=True, skipped="takes a minute: a whole run measures it")
        return
    from bench.engine import large_datafile  # noqa: PLC0415 - loads the SDK, which the other rows do without

    bodies = two_revisions(large_datafile(scale.large_bytes))
    with tempfile.TemporaryDirectory() as name, nobody() as endpoint:
        datafile = Path(name, "large.json")
        datafile.write_bytes(bodies[0])
        configured = Configured(datafile=datafile, endpoint=endpoint, transport=scale.transport)
        with running(configured, scale.cores, Path(name)) as daemon:
            kept = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {scale.cores.load})
            try:
                yield uvloop.run(_measure(Reloading(daemon, datafile, bodies), scale.paced_s / 2))
            finally:
                os.sched_setaffinity(0, kept)


@dataclass(frozen=True, slots=True)
class Reloading:
    """A sidecar, and the two bodies that its datafile changes between."""

    daemon: Daemon
    datafile: Path
    bodies: Sequence[bytes]

    async def reload(self, channel: aio.Channel, number: int) -> tuple[float, float]:
        """Put a body there and wait until it is applied; returns when it began and ended."""
        call: Any = channel.unary_unary(RELOAD)
        written = self.datafile.with_suffix(".new")
        await asyncio.to_thread(written.write_bytes, self.bodies[number % 2])
        began_s = time.monotonic()
        written.rename(self.datafile)
        reply = datafile_pb2.ReloadResponse.FromString(
            await call(datafile_pb2.ReloadRequest().SerializeToString(), timeout=60.0)
        )
        if reply.revision != _revision(number):
            raise RuntimeError(f"reload {number} answered revision {reply.revision}: {reply}")
        return began_s, time.monotonic()


@dataclass(frozen=True, slots=True)
class Round:
    """Calls without a reload, those beside one, and what it took."""

    calm: Sequence[Paced]
    beside: Sequence[Paced]
    took_s: float

    @property
    def failed(self) -> int:
        """Calls that were not answered."""
        return sum(not one.reply for one in (*self.calm, *self.beside))

    @property
    def mixed(self) -> int:
        """Answers of two revisions."""
        return sum(_mixed(one.reply) for one in self.beside if one.reply)


async def _measure(reloading: Reloading, calm_s: float) -> Row:
    daemon = reloading.daemon
    async with aio.insecure_channel(daemon.address) as channel:
        await pace(channel, _REQUEST, _WARM_S, lambda: False)
        started_s, others_s = time.monotonic(), -_others_s(daemon)
        rounds = [await _round(reloading, channel, number, calm_s) for number in range(1, ROUNDS + 1)]
        others_s += _others_s(daemon)
        measured_s = time.monotonic() - started_s
    calm, beside = [p99_ms(one.calm) for one in rounds], [p99_ms(one.beside) for one in rounds]
    failed, mixed = sum(one.failed for one in rounds), sum(one.mixed for one in rounds)
    return Row(
        name=_NAME,
        ours=f"{median(beside):.1f} ms reloading",
        yardstick=f"{median(calm):.1f} ms without",
        figure=float("inf") if failed or mixed else median(beside) / median(calm),
        bound=TIMES_MAX,
        at_most=True,
        note=(
            f"medians of {ROUNDS} rounds of {min(beside):.1f} to {max(beside):.1f} and {min(calm):.1f} to "
            f"{max(calm):.1f} ms; a reload of {median(one.took_s for one in rounds):.1f} s, longest call "
            f"{max(call.took_s for one in rounds for call in one.beside) * 1e3:.0f} ms; {failed} failed, "
            f"{mixed} mixed; other processes had the sidecar's core {others_s / measured_s:.0%} of the time"
        ),
    )


async def _round(reloading: Reloading, channel: aio.Channel, number: int, calm_s: float) -> Round:
    calm = await pace(channel, _REQUEST, calm_s, lambda: False)
    task = asyncio.create_task(reloading.reload(channel, number))
    calls = await pace(channel, _REQUEST, 0.0, lambda: not task.done())
    began_s, ended_s = await task
    await asyncio.sleep(_QUIET_S)
    return Round(calm, [one for one in calls if began_s <= one.due_s <= ended_s], ended_s - began_s)


def _others_s(daemon: Daemon) -> float:
    """Seconds that the daemon's core was not idle and had not the daemon, since some time in the past.

    What the kernel counts is in ticks. Source: proc_stat(5); guest time is in user time, stolen time is others' too.
    """
    (core,) = os.sched_getaffinity(daemon.process.pid)
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, ticks[:8])
            busy = user + nice + system + irq + softirq + stolen
            return busy / os.sysconf("SC_CLK_TCK") - daemon.process.cpu_s()
    raise RuntimeError(f"/proc/stat has no line of core {core}")


def two_revisions(body: bytes) -> Sequence[bytes]:
    """The datafile twice, under two revisions; in the second every variation has another key."""
    datafile = json.loads(body)
    first = json.dumps({**datafile, "revision": _revision(0)}).encode()
    rules = [*datafile["experiments"], *(rule for one in datafile["rollouts"] for rule in one["experiments"])]
    for rule in rules:
        for variation in rule["variations"]:
            variation["key"] += _OTHER
    return first, json.dumps({**datafile, "revision": _revision(1)}).encode()


def _revision(number: int) -> str:
    return ("even", "odd")[number % 2]


def _mixed(reply: bytes) -> bool:
    """Whether a decision is not of the revision that its answer names."""
    answer = decision_pb2.DecideResponse.FromString(reply)
    other = answer.revision == _revision(1)
    keys = [one.variation_key for one in answer.decisions]
    return len(keys) != len(_FLAG_KEYS) or any(key.endswith(_OTHER) is not other for key in keys)
