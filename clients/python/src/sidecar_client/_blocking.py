"""The loops of the blocking client: over the tries of a call, the streams of a watch, the batches of an import.

What they decide is in `_calls.Exchange`, `_state` and `_importing`; only here is slept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TypeVar

from google.protobuf.message import DecodeError

from sidecar_client import _state
from sidecar_client._calls import Call, Counters, Exchange
from sidecar_client._events import Draft
from sidecar_client._importing import Importing
from sidecar_client._stamps import jitter
from sidecar_client.errors import ClientClosed, RequestRefused, SidecarError
from sidecar_client.events import Imported
from sidecar_client.settings import Settings
from sidecar_client.status import DatafileChange
from sidecar_client.transport import Transport, WireFailure

Answer = TypeVar("Answer")


def perform(transport: Transport, counters: Counters, call: Call[Answer]) -> Answer:
    """Drive one call to its answer, its fallback's answer, or a SidecarError."""
    started_s, timeout_s, exchange = time.monotonic(), call.timeout_s, None
    while True:
        try:
            return call.decode(transport.unary(call.method, call.request, timeout_s=timeout_s))
        except (WireFailure, ClientClosed, DecodeError) as failure:
            # Why not before: a call that goes well, as nearly all do, has no use for it.
            exchange = exchange or Exchange(call, counters, started_s)
            pause_s = exchange.pause_s(failure, time.monotonic(), jitter())
            if pause_s is None:
                return exchange.failed(failure)
            time.sleep(pause_s)
            timeout_s = exchange.timeout_s(time.monotonic())


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


def wait_ready(transport: Transport, counters: Counters, settings: Settings, timeout_s: float) -> bool:
    """Whether a first decision will succeed, asked until it will or the time is over."""
    readiness = _state.Readiness(settings, timeout_s, time.monotonic())
    while True:
        try:
            if readiness.ready(perform(transport, counters, readiness.call(time.monotonic()))):
                return True
        except SidecarError as error:
            readiness.mended(error)
        pause_s = readiness.pause_s(time.monotonic())
        if pause_s is None:
            return False
        if transport.wait(pause_s):
            raise ClientClosed


def import_all(transport: Transport, counters: Counters, importing: Importing, drafts: Iterable[Draft]) -> Imported:
    """Every batch in order, each until it is accepted or refused. Raises SidecarError when it breaks off."""
    for call in importing.calls(drafts):
        while True:
            try:
                importing.accepted(perform(transport, counters, call))
            except RequestRefused as error:
                importing.refused(error)
            except SidecarError as error:
                transport.wait(importing.pause_s(error, jitter()))
                continue
            break
    return importing.report()
