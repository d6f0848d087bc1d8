"""Calls about the sidecar itself, and the walk over the streams of a Watch. No clock, no socket, no sleep."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._faults import fault_of
from sidecar_client.errors import error_for
from sidecar_client.pb import datafile_pb2, tracking_pb2
from sidecar_client.settings import EVENT_RETRY, WATCH_RETRY, Settings
from sidecar_client.status import DatafileChange, DatafileStatus, Flushed
from sidecar_client.transport import WireFailure

WATCH: Final = "/sidecar.v1.DatafileService/Watch"
FLUSH_MARGIN_S: Final = 1.0
"""What a Flush's deadline leaves for the way there and back, so that the sidecar's answer comes before it."""


def flush(settings: Settings, timeout_s: float) -> Call[Flushed]:
    """A Flush that waits at most `timeout_s` for deliveries, 0 = only look."""
    if not (math.isfinite(timeout_s) and timeout_s >= 0):
        raise ValueError(f"timeout_s is {timeout_s}, wanted a finite number of seconds, 0 or more")
    request = tracking_pb2.FlushRequest(datafile=settings.datafile)
    request.timeout.FromMicroseconds(int(timeout_s * 1e6))
    return Call(
        method="/sidecar.v1.TrackingService/Flush",
        request=request.SerializeToString(),
        timeout_s=timeout_s + FLUSH_MARGIN_S,
        retry=EVENT_RETRY,
        decode=_replies.flushed,
    )


def status(settings: Settings) -> Call[DatafileStatus]:
    """A GetStatus of the client's datafile."""
    return Call(
        method="/sidecar.v1.DatafileService/GetStatus",
        request=datafile_pb2.GetStatusRequest(datafile=settings.datafile).SerializeToString(),
        timeout_s=settings.status_timeout_s,
        retry=EVENT_RETRY,
        decode=_replies.status,
    )


class Watching:
    """One watch over as many streams as it takes: a stream that ends or finds no sidecar is opened again.

    Drive it: open → `seen` for each message → at its end `pause_s`, wait, open again.
    """

    def __init__(self, settings: Settings) -> None:
        self.request = datafile_pb2.WatchRequest(datafile=settings.datafile).SerializeToString()
        self._last: tuple[str, datetime | None] | None = None
        self._failures = 0

    def seen(self, reply: bytes) -> DatafileChange | None:
        """The change that a message tells; None when it repeats the last one, as a new stream may."""
        self._failures = 0
        change = _replies.change(reply)
        place = (change.revision, change.loaded_time)
        if place == self._last:
            return None
        self._last = place
        return change

    def pause_s(self, failure: WireFailure | None, jitter: float) -> float:
        """How long to wait before the stream is opened again, 0 ≤ jitter < 1; `failure` None = it just ended.

        Raises SidecarError for a failure that another try will not mend.
        """
        if failure is not None and failure.code != "UNAVAILABLE":
            raise error_for(fault_of(failure.code, failure.message, failure.details), method=WATCH)
        exponent = min(self._failures, 16)
        self._failures += 1
        full_s: float = min(WATCH_RETRY.pause_min_s * 2**exponent, WATCH_RETRY.pause_max_s)
        return full_s * (1 - jitter / 2)
