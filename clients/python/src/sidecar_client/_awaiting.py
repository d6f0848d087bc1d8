"""The two loops of the asyncio client: over the tries of a call, and over the streams of a watch.

What they decide is in `_calls.Exchange` and `_state.Watching`; twin of `_blocking`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from sidecar_client import _state
from sidecar_client._calls import Call, Counters, Exchange
from sidecar_client._handle import jitter
from sidecar_client.errors import ClientClosed
from sidecar_client.status import DatafileChange
from sidecar_client.transport import AsyncTransport, WireFailure

Answer = TypeVar("Answer")


async def perform(transport: AsyncTransport, counters: Counters, call: Call[Answer]) -> Answer:
    """Drive one call to its answer, its fallback's answer, or a SidecarError."""
    exchange = Exchange(call, counters, time.monotonic())
    while True:
        try:
            timeout_s = exchange.timeout_s(time.monotonic())
            reply = await transport.unary(call.method, call.request, timeout_s=timeout_s)
        except WireFailure as failure:
            pause_s = exchange.pause_s(failure, time.monotonic(), jitter())
            if pause_s is None:
                return exchange.failed(failure)
            await asyncio.sleep(pause_s)
        except ClientClosed as closed:
            return exchange.give_up(closed)
        else:
            return exchange.answer(reply)


async def watch(transport: AsyncTransport, watching: _state.Watching) -> AsyncGenerator[DatafileChange, None]:
    """Every change of the datafile, over as many streams as it takes, until the transport is closed."""
    while True:
        failure = None
        try:
            async with aclosing(transport.stream(_state.WATCH, watching.request)) as replies:
                async for reply in replies:
                    change = watching.seen(reply)
                    if change is not None:
                        yield change
        except WireFailure as ended:
            failure = ended
        except ClientClosed:
            return
        await asyncio.sleep(watching.pause_s(failure, jitter()))
