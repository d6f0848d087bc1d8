"""The rows of delivery: how fast a backlog reaches a collector in another process, and what Decides feel of it.

The collector is stopped (SIGSTOP) while the backlog is made: its connection is taken by the kernel, and the first batch
waits for its answer. When it goes on, delivery is at full speed from one moment to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import uvloop
from grpc import aio

from bench import h2load
from bench.daemon import Configured, Daemon, running
from bench.h2load import Shape
from bench.pacing import Paced, p99_ms, pace
from bench.processes import started
from bench.requests import FLAGS, Asked, decide, track
from bench.scale import Scale
from bench.table import Row

EVENTS_PER_S_MIN: Final = 20_000
P99_TIMES_MAX: Final = 1.5
_DELIVERY: Final = "delivered, Segment's wire"
_BESIDE: Final = "p99 of Decide at 1,000/s, delivery running"
_TRACKS_PER_CALL: Final = 6
_DECIDES_PER_PACED_S: Final = 2_000
"""Calls that make a backlog for each second of pacing, 20 events each."""


class Held:
    """A sidecar with one destination whose collector is held, until it is let go."""

    def __init__(self, daemon: Daemon, collector_pid: int) -> None:
        self.daemon = daemon
        self._collector_pid = collector_pid

    def let_go(self) -> None:
        """The collector answers from now on."""
        os.kill(self._collector_pid, signal.SIGCONT)


def delivery(scale: Scale) -> Iterator[Row]:
    """Accept Tracks, then impressions, with the collector held; let it go and time until all are delivered."""
    if reason := h2load.missing():
        yield Row(name=_DELIVERY, bound=EVENTS_PER_S_MIN, unit="/s", skipped=reason)
        return
    calls = scale.calls * _TRACKS_PER_CALL
    yield _drained(scale, "Tracks, one a record", track(), calls, bound=EVENTS_PER_S_MIN)
    yield _drained(scale, "impressions, 20 a record", decide(), max(1, calls // FLAGS * 2), bound=None)


def _drained(scale: Scale, what: str, asked: Asked, calls: int, bound: float | None) -> Row:
    with _held(scale) as held:
        daemon = held.daemon
        h2load.load(daemon.address, asked.method, asked.request, Shape(calls=calls), scale.cores.load)
        time.sleep(0.1)
        before, cpu_s, began_s = daemon.counted(), daemon.process.cpu_s(), time.monotonic()
        held.let_go()
        daemon.flush()
        wall_s, cpu_s = time.monotonic() - began_s, daemon.process.cpu_s() - cpu_s
        after = daemon.counted()
    events = after.delivered - before.delivered
    if events != calls * asked.events or not after.conserved:
        raise RuntimeError(f"delivered {events}, wanted {calls * asked.events}")
    return Row(
        name=f"{_DELIVERY}: {what}",
        ours=f"{cpu_s / events * 1e6:.1f} µs CPU an event",
        figure=events / cpu_s,
        unit="/s",
        bound=bound,
        note=(
            f"events per second of the daemon's CPU; {events:,.0f} in {wall_s:.1f} s of wall time, "
            f"{events / wall_s:,.0f}/s; gzip, batches of 250"
        ),
    )


def decide_beside(scale: Scale) -> Iterator[Row]:
    """Pace Decides with the collector held, then while a backlog is delivered."""
    reason = h2load.missing() or ("" if scale.paced_s else "takes a minute: a whole run measures it")
    if reason:
        yield Row(name=_BESIDE, bound=P99_TIMES_MAX, at_most=True, skipped=reason)
        return
    backlog, calls = decide(), int(_DECIDES_PER_PACED_S * scale.paced_s)
    with _held(scale) as held:
        asked = (held.daemon.address, backlog.method, backlog.request, Shape(calls=calls), scale.cores.load)
        h2load.load(*asked)
        kept = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {scale.cores.load})
        try:
            yield uvloop.run(_measure(held, scale.paced_s))
        finally:
            os.sched_setaffinity(0, kept)


async def _measure(held: Held, paced_s: float) -> Row:
    daemon, request = held.daemon, decide("flag_0").request
    async with aio.insecure_channel(daemon.address) as channel:
        await pace(channel, request, 2.0, lambda: False)
        calm = await pace(channel, request, paced_s, lambda: False)
        before = await asyncio.to_thread(daemon.counted)
        held.let_go()
        began_s, cpu_s = time.monotonic(), daemon.process.cpu_s()
        beside = await pace(channel, request, paced_s, lambda: False)
        wall_s, cpu_s = time.monotonic() - began_s, daemon.process.cpu_s() - cpu_s
    after = await asyncio.to_thread(daemon.counted)
    left = after.accepted - after.delivered
    failed = sum(not one.reply for one in (*calm, *beside))
    return Row(
        name=_BESIDE,
        ours=f"{p99_ms(beside):.1f} ms delivering",
        yardstick=f"{p99_ms(calm):.1f} ms without",
        figure=p99_ms(beside) / p99_ms(calm) if not failed else float("inf"),
        bound=P99_TIMES_MAX,
        at_most=True,
        note=(
            f"{len(beside)} calls while {(after.delivered - before.delivered) / wall_s:,.0f} events/s were delivered, "
            f"{left:,.0f} left at the end, {cpu_s / wall_s:.0%} of the core; longest {_longest_ms(beside):.0f} ms "
            f"({_longest_ms(calm):.0f} without); {failed} failed"
        ),
    )


@contextlib.contextmanager
def _held(scale: Scale) -> Iterator[Held]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with started(("-m", "bench.collector"), scale.cores.load, directory / "collector.log") as collector:
            endpoint = f"http://{collector.wait_for('listening on').split()[-1]}"
            configured = Configured(endpoint=endpoint, transport=scale.transport, destination=_segment(endpoint))
            os.kill(collector.pid, signal.SIGSTOP)
            try:
                with running(configured, scale.cores, directory) as daemon:
                    yield Held(daemon, collector.pid)
            finally:
                os.kill(collector.pid, signal.SIGCONT)


def _segment(endpoint: str) -> Mapping[str, object]:
    """Impressions too, and all the patience that the making of a backlog wants."""
    return {
        "name": "segment",
        "type": "segment",
        "endpoint": endpoint,
        "write_key": "bench",
        "impressions": True,
        "impressions_window": 0,
        "timeout": "300s",
    }


def _longest_ms(calls: Sequence[Paced]) -> float:
    return max(one.took_s for one in calls) * 1e3
