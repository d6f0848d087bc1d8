"""Calls about the sidecar itself, and the walk over the streams of a Watch. No clock, no socket, no sleep."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._faults import fault_of
from sidecar_client.errors import SidecarError, error_for
from sidecar_client.pb import datafile_pb2, tracking_pb2
from sidecar_client.settings import EVENT_RETRY, WATCH_RETRY, Settings
from sidecar_client.status import DatafileChange, DatafileStatus, Flushed
from sidecar_client.transport import WireFailure

WATCH: Final = "/sidecar.v1.DatafileService/Watch"
READY_PAUSE_S: Final = 0.05
"""Between two questions whether a sidecar that answers has its datafile; one that does not answer is tried as ever."""
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


class Readiness:
    """Whether a first decision will succeed: a GetStatus again and again, until it says so or the time is over.

    Drive it: `call` → its answer to `ready`, or its error to `mended` → `pause_s`, wait, and again.
    """

    def __init__(self, settings: Settings, timeout_s: float, now_s: float) -> None:
        if not (math.isfinite(timeout_s) and timeout_s >= 0):
            raise ValueError(f"timeout_s is {timeout_s}, wanted a finite number of seconds, 0 or more")
        self._settings = settings
        self._deadline_s = now_s + timeout_s

    def call(self, now_s: float) -> Call[DatafileStatus]:
        """The next question, within what is left."""
        left_s = max(self._deadline_s - now_s, 0.001)
        return status(self._settings)._replace(timeout_s=min(left_s, self._settings.status_timeout_s))

    def ready(self, answered: DatafileStatus) -> bool:
        """Whether a datafile is in force; a sidecar without any, which only takes events, is ready too."""
        return bool(answered.revision) or not answered.name

    def mended(self, error: SidecarError) -> None:
        """Raises `error` when waiting does not mend it, as a wrong token."""
        if not error.retryable:
            raise error

    def pause_s(self, now_s: float) -> float | None:
        """How long to wait before the next question; None = the time is over."""
        left_s = self._deadline_s - now_s
        return min(READY_PAUSE_S, left_s) if left_s > 0 else None


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
        self._failures += 1
        return WATCH_RETRY.pause_s(self._failures, jitter)
