"""The row of reloads: the 99th percentile of Decide at a steady pace, without and with a large datafile coming in.

The pace is open: see `bench.pacing`.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import uvloop
from grpc import aio

from bench.daemon import Configured, Daemon, nobody, running
from bench.pacing import p99_ms, pace
from bench.requests import decide
from bench.scale import Scale
from bench.table import Row
from sidecar.pb import datafile_pb2, decision_pb2

TIMES_MAX: Final = 3.0
_NAME: Final = "p99 of Decide at 1,000/s, 10 MB reloading"
RELOAD: Final = "/sidecar.v1.DatafileService/Reload"
_FLAG_KEYS: Final = tuple(f"c0flag_{number}" for number in range(5))
_OTHER: Final = "-other"
_PAUSE_S: Final = 0.2


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
                yield uvloop.run(_measure(daemon, datafile, bodies, scale.paced_s))
            finally:
                os.sched_setaffinity(0, kept)


async def _measure(daemon: Daemon, datafile: Path, bodies: Sequence[bytes], paced_s: float) -> Row:
    async with aio.insecure_channel(daemon.address) as channel:
        request = decide(*_FLAG_KEYS).request
        await pace(channel, request, 2.0, lambda: False)
        calm = await pace(channel, request, paced_s, lambda: False)
        reloads: list[tuple[float, float]] = []
        stop = time.monotonic() + paced_s
        reloading = asyncio.create_task(_reload_until(channel, datafile, bodies, stop, reloads))
        stormy = await pace(channel, request, paced_s, lambda: not reloading.done())
        await reloading
    hit = [one for one in stormy if any(began <= one.due_s <= ended for began, ended in reloads)]
    failed = sum(not one.reply for one in (*calm, *stormy))
    mixed = sum(_mixed(one.reply) for one in stormy if one.reply)
    figure = p99_ms(hit) / p99_ms(calm) if not failed and not mixed else float("inf")
    return Row(
        name=_NAME,
        ours=f"{p99_ms(hit):.1f} ms reloading",
        yardstick=f"{p99_ms(calm):.1f} ms without",
        figure=figure,
        bound=TIMES_MAX,
        at_most=True,
        note=(
            f"{len(calm)} calls without, {len(hit)} of {len(stormy)} during {len(reloads)} reloads of "
            f"{sum(ended - began for began, ended in reloads) / len(reloads):.1f} s, longest "
            f"{max(one.took_s for one in hit) * 1e3:.0f} ms; {failed} failed, {mixed} mixed"
        ),
    )


async def _reload_until(
    channel: aio.Channel,
    datafile: Path,
    bodies: Sequence[bytes],
    stop_s: float,
    reloads: list[tuple[float, float]],
) -> None:
    call: Any = channel.unary_unary(RELOAD)
    number = 0
    while time.monotonic() < stop_s:
        number += 1
        written = datafile.with_suffix(".new")
        await asyncio.to_thread(written.write_bytes, bodies[number % 2])
        began_s = time.monotonic()
        written.rename(datafile)
        reply = datafile_pb2.ReloadResponse.FromString(
            await call(datafile_pb2.ReloadRequest().SerializeToString(), timeout=60.0)
        )
        reloads.append((began_s, time.monotonic()))
        if reply.revision != _revision(number):
            raise RuntimeError(f"reload {number} answered revision {reply.revision}: {reply}")
        await asyncio.sleep(_PAUSE_S)


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
