"""The rows of the engine as datafiles grow: compiling 10 MB, and deciding up to 5,000 flags. In this process."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Final

from bench.scale import Scale
from bench.scale_engine import FLAGS, GROWTH_MAX, time_per_flag_us
from bench.table import Row
from sidecar.decision import load

COMPILE_S_MAX: Final = 1.5


def compiling(scale: Scale) -> Iterator[Row]:
    """Parse and compile a large datafile in one go, without what a reload does besides."""
    from bench.engine import large_datafile  # noqa: PLC0415 - loads the SDK, which the other rows do without

    body, seconds = large_datafile(scale.large_bytes), list[float]()
    count = len(load(body).flags)
    for _ in range(scale.rounds):
        gc.collect()
        started = time.process_time()
        load(body)
        seconds.append(time.process_time() - started)
    yield Row(
        name=f"compiling a datafile of {len(body) / 1e6:.1f} MB, CPU",
        figure=min(seconds),
        unit="s",
        bound=COMPILE_S_MAX,
        at_most=True,
        note=f"{count:,} flags; best of {len(seconds)}",
    )


def flags(scale: Scale) -> Iterator[Row]:
    """All flags of a datafile decided for a user, by the number of flags."""
    times = time_per_flag_us(FLAGS, 2 * scale.rounds)
    each = ", ".join(f"{spent:.2f} µs at {count:,}" for count, spent in zip(FLAGS, times, strict=True))
    yield Row(
        name=f"engine, each flag of {FLAGS[-1]:,}",
        ours=f"{times[-1]:.2f} µs CPU",
        yardstick=f"{times[-2]:.2f} µs of {FLAGS[-2]:,}",
        figure=times[-1] / times[-2],
        bound=GROWTH_MAX,
        at_most=True,
        note=f"linear: {each}; what grows before that is what a core's own cache holds",
    )
