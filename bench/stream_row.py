"""The row of streams: decisions of `DecideStream` against as many unary `Decide`s, on the same sidecar, in turns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median
from typing import Final

from bench import h2load
from bench.comparison import SETTLE_S, Plan, loaded
from bench.daemon import Configured, Daemon, nobody
from bench.h2load import Shape
from bench.requests import DECIDE, decide
from bench.scale import Scale
from bench.servers import CALLS_SHARE, NATIVE, Server, place, sidecar
from bench.table import Row
from sidecar.pb import decision_pb2
from sidecar.transport.native import codec

TIMES_MIN: Final = 1.2
_STREAM: Final = DECIDE + "Stream"


def measure(scale: Scale) -> Iterator[Row]:
    """Start a sidecar on each wire and load it both ways in turns; binding is the native one."""
    reason = h2load.missing() or codec.missing()
    for wire, absent in scale.wires().items():
        name, bound = f"DecideStream, one flag, {wire}", TIMES_MIN if wire == NATIVE else None
        if why := reason or absent:
            yield Row(name=name, bound=bound, skipped=why)
            continue
        with nobody() as endpoint, place(scale.cores, unix=False) as where:

            def configured(transport: str, listen: str, endpoint: str = endpoint) -> Configured:
                return Configured(endpoint=endpoint, transport=transport, listen=listen)

            with sidecar(where, wire, configured) as server:
                yield replace(_compared(scale, server), name=name, bound=bound)


def _compared(scale: Scale, server: Server) -> Row:
    daemon = server.daemon
    assert daemon is not None, "an echo decides nothing"
    # Why a multiple of the connections: each has its share of the messages, and all are counted.
    shape = Shape(calls=max(1, round(scale.calls * CALLS_SHARE[server.name] / 4)) * 4, streams=16)
    plan = Plan(asked=decide("flag_0"), shape=shape, rounds=scale.rounds, cores=scale.cores)
    unary, streamed = [], []
    for number in range(scale.rounds + 1):
        taken = (loaded(daemon, plan).cpu_us, _streamed_us(daemon, plan))
        if number:  # The first round of each warms it.
            unary.append(taken[0])
            streamed.append(taken[1])
    return Row(
        name="",
        ours=f"{median(streamed):.1f} µs CPU a decision",
        yardstick=f"{median(unary):.1f} µs CPU unary",
        figure=median(unary) / median(streamed),
        note=(
            f"decisions per CPU-second; 64 in flight, on four streams; {scale.rounds} rounds, "
            f"{min(streamed):.1f} to {max(streamed):.1f} µs"
        ),
    )


def _streamed_us(daemon: Daemon, plan: Plan) -> float:
    """CPU of a decision, microseconds. Raises `RuntimeError` unless each was counted, and its event accepted."""
    request = decision_pb2.DecideRequest.FromString(plan.asked.request)
    message = decision_pb2.DecideStreamRequest(decide=request).SerializeToString()
    before, before_s = daemon.counted(), daemon.process.cpu_s()
    _on_core(plan.cores.load, lambda: _load(daemon, message, plan.shape))
    spent_s = daemon.process.cpu_s() - before_s
    after, calls = daemon.counted(), plan.shape.calls
    wanted = {"decisions": calls, "accepted": calls, "errors": 0}
    got = {name: getattr(after, name) - getattr(before, name) for name in wanted}
    if got != wanted:
        raise RuntimeError(f"the daemon counted {got}, wanted {wanted}")
    return spent_s / calls * 1e6


def _load(daemon: Daemon, message: bytes, shape: Shape) -> None:
    from bench.streaming import stream  # noqa: PLC0415 - it is on the codec, which may not be installed

    stream(daemon.address, _STREAM, message, shape)
    time.sleep(SETTLE_S)


def _on_core(core: int, load: Callable[[], None]) -> None:
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        load()
    finally:
        os.sched_setaffinity(0, kept)
