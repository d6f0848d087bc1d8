"""An import: drafts to batches, replies to one report. No clock, no socket, no sleep; both clients drive it.

Why one Import after the other and no ImportStream: a batch is written in one go or refused with its violations, has
a deadline and is tried again like any other call, and a sidecar next door leaves no round trip worth hiding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import Message

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._events import SERVICE, Draft
from sidecar_client.errors import RequestRefused, SidecarError
from sidecar_client.events import Imported, Outcome, RefusedBatch
from sidecar_client.pb import tracking_pb2
from sidecar_client.settings import BUFFER_RETRY, EVENT_RETRY, Settings

BATCH_EVENTS_MAX: Final = 500
"""Events of one Import; the sidecar's own bound."""
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of one Import that holds more than one event: far below the sidecar's bound, so that memory stays small."""
PATIENCE_S: Final = 60.0
"""How long an import waits in all for a batch that is not accepted for now, as while the outbox is full."""
EVENT_OVERHEAD_BYTES: Final = 12
"""What an event costs besides its own bytes: two tags and two lengths."""


class Importing:
    """One import: `calls` to perform in order, each followed by `accepted` or `refused`; at the end `report`.

    Raises ValueError for a bound of a batch that is not 1 to 500.
    """

    def __init__(self, settings: Settings, *, include_optimizely: bool, batch_events_max: int) -> None:
        if not 1 <= batch_events_max <= BATCH_EVENTS_MAX:
            raise ValueError(f"batch_events_max is {batch_events_max}, wanted 1 to {BATCH_EVENTS_MAX}")
        self._settings = settings
        self._include_optimizely = include_optimizely
        self._batch_events_max = batch_events_max
        self._given = 0
        self._batch_events = 0
        self._accepted = 0
        self._repeated = 0
        self._refused: list[RefusedBatch] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._failures = 0
        self._waited_s = 0.0

    def calls(self, drafts: Iterable[Draft]) -> Iterator[Call[tracking_pb2.ImportResponse]]:
        """One call for each batch; the iterable is read no further than the batch that is being sent."""
        for batch in _batches(drafts, self._batch_events_max):
            self._batch_events = len(batch.events)
            yield self._call(batch)
            self._given += self._batch_events

    def _call(self, batch: tracking_pb2.ImportRequest) -> Call[tracking_pb2.ImportResponse]:
        batch.include_optimizely = self._include_optimizely
        batch.datafile = self._settings.datafile
        return Call(
            method=SERVICE + "Import",
            request=batch.SerializeToString(),
            timeout_s=self._settings.import_timeout_s,
            retry=EVENT_RETRY,
            decode=tracking_pb2.ImportResponse.FromString,
        )

    def accepted(self, response: tracking_pb2.ImportResponse) -> None:
        """The batch is accepted, all of it."""
        self._failures, self._waited_s = 0, 0.0
        self._accepted += self._batch_events
        self._repeated += response.repeated_events
        for each in response.outcomes:
            self._outcomes[_replies.outcome(each.outcome)] += each.events

    def refused(self, error: RequestRefused) -> None:
        """None of the batch is accepted; the next one may be."""
        self._failures, self._waited_s = 0, 0.0
        self._refused.append(RefusedBatch(first_index=self._given, events=self._batch_events, error=error))

    def pause_s(self, error: SidecarError, jitter: float) -> float:
        """How long to wait before the same batch is sent again, 0 ≤ jitter < 1.

        Raises `error`, with what was imported before, when waiting helps not, or has been long enough.
        """
        if not error.retryable or self._waited_s >= PATIENCE_S:
            error.imported = self.report()
            raise error
        self._failures += 1
        pause_s = error.retry_after_s or BUFFER_RETRY.pause_s(self._failures, jitter)
        self._waited_s += pause_s
        return pause_s

    def report(self) -> Imported:
        """What became of all of it."""
        return Imported(
            accepted=self._accepted,
            repeated=self._repeated,
            refused=tuple(self._refused),
            outcomes=dict(self._outcomes),
        )


def _batches(drafts: Iterable[Draft], events_max: int) -> Iterator[tracking_pb2.ImportRequest]:
    """Batches in order, within both bounds; an event over the bytes has one of its own."""
    batch, batch_bytes = tracking_pb2.ImportRequest(), 0
    for draft in drafts:
        event_bytes = draft.request.ByteSize() + EVENT_OVERHEAD_BYTES
        if batch.events and (len(batch.events) == events_max or batch_bytes + event_bytes > BATCH_BYTES_MAX):
            yield batch
            batch, batch_bytes = tracking_pb2.ImportRequest(), 0
        _put(batch.events.add(), draft)
        batch_bytes += event_bytes
    if batch.events:
        yield batch


def _put(event: tracking_pb2.ImportEvent, draft: Draft) -> None:
    target: Message = getattr(event, draft.kind)
    target.CopyFrom(draft.request)
