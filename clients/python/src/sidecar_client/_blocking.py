"""The two loops of the blocking client: over the tries of a call, and over the streams of a watch.

What they decide is in `_calls.Exchange` and `_state.Watching`; only here is slept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import TypeVar

from sidecar_client import _state
from sidecar_client._calls import Call, Counters, Exchange
from sidecar_client._handle import jitter
from sidecar_client.errors import ClientClosed
from sidecar_client.status import DatafileChange
from sidecar_client.transport import Transport, WireFailure

Answer = TypeVar("Answer")


def perform(transport: Transport, counters: Counters, call: Call[Answer]) -> Answer:
    """Drive one call to its answer, its fallback's answer, or a SidecarError."""
    exchange = Exchange(call, counters, time.monotonic())
    while True:
        try:
            timeout_s = exchange.timeout_s(time.monotonic())
            reply = transport.unary(call.method, call.request, timeout_s=timeout_s)
        except WireFailure as failure:
            pause_s = exchange.pause_s(failure, time.monotonic(), jitter())
            if pause_s is None:
                return exchange.failed(failure)
            time.sleep(pause_s)
        except ClientClosed as closed:
            return exchange.give_up(closed)
        else:
            return exchange.answer(reply)


def watch(transport: Transport, watching: _state.Watching) -> Iterator[DatafileChange]:
    """Every change of the datafile, over as many streams as it takes, until the transport is closed."""
    while True:
        failure = None
        try:
            with closing(transport.stream(_state.WATCH, watching.request)) as replies:
                for reply in replies:
                    change = watching.seen(reply)
                    if change is not None:
                        yield change
        except WireFailure as ended:
            failure = ended
        except ClientClosed:
            return
        if transport.wait(watching.pause_s(failure, jitter())):
            return
