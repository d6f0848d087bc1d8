"""Calls at a steady pace and how long each took.

The pace is open: each call is due at its time whether or not those before it are answered, and its latency counts from
that time, so that a stall shows in every call that it held up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Final

from grpc import aio

from bench.requests import DECIDE

RATE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Paced:
    """One call: when it was due, how long it took from then, its answer ("" = it failed)."""

    due_s: float
    took_s: float
    reply: bytes


async def pace(channel: aio.Channel, request: bytes, seconds: float, longer: Callable[[], bool]) -> Sequence[Paced]:
    """Decide at the rate for so long, and then for as long as `longer` says."""
    call: Any = channel.unary_unary(DECIDE)
    done: list[Paced] = []

    async def one(due_s: float) -> None:
        try:
            reply: bytes = await call(request, timeout=10.0)
        except aio.AioRpcError:
            reply = b""
        done.append(Paced(due_s, time.monotonic() - due_s, reply))

    started_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        number = 0
        while number < seconds * RATE or longer():
            due_s = started_s + number / RATE
            number += 1
            if (early_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(early_s)
            group.create_task(one(due_s))
    return done


def p99_ms(calls: Iterable[Paced]) -> float:
    """What one call in a hundred takes or more, milliseconds."""
    return quantiles((one.took_s for one in calls), n=100)[98] * 1e3
