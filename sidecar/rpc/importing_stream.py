"""`TrackingService/ImportStream`: history at full speed, acknowledged in order.

While some messages are committed, the next ones are read, parsed and judged, a bounded number of them; then all that
are ready are committed together. So one commit is under way at a time, what stands behind a message that the outbox
refuses is never accepted before it, and a client that is faster than the disk is held up by gRPC's flow control.
Rules: docs/import.md.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from msgspec import Struct

from sidecar import limits
from sidecar.errors import OutboxFull
from sidecar.importer import Importer, Message, tally
from sidecar.pb import tracking_pb2
from sidecar.rpc import wire
from sidecar.rpc.importing_events import EVENTS, EventReader
from sidecar.rpc.methods import Call
from sidecar.rpc.outcomes import outcome_message
from sidecar.rpc.refusals import refusal_of
from sidecar.values import Outcome

METHOD: Final = "/sidecar.v1.TrackingService/ImportStream"

_ERROR: Final = wire.tag(tracking_pb2.ImportStreamResponse.ERROR_FIELD_NUMBER)


class _Arrived(Struct, frozen=True, eq=False):
    """A message that was read. `message` is None when none of its events can be accepted; `status` says why."""

    events: int
    size_bytes: int
    message: Message | None
    status: bytes = b""


class ImportStream:
    """Serves the method; each call has a state of its own."""

    def __init__(self, importer: Importer, reader: EventReader) -> None:
        self._importer, self._reader = importer, reader

    async def serve(self, requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        """Acknowledgements as messages are on disk, then the summary. Raises `OutboxFull`, `OutboxUnwritable`."""
        arrivals, totals = _Arrivals(self._reader), _Totals()
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(arrivals.read(requests))
            try:
                while ready := await arrivals.ready():
                    async for reply in self._settled(ready, totals):
                        yield reply
                yield totals.summary()
            except BaseException as error:  # noqa: BLE001 - raised below, also a caller's leaving: a group would wrap it
                failure = error
            finally:
                reading.cancel()
        if failure is not None:
            raise failure

    async def _settled(self, ready: Sequence[_Arrived], totals: _Totals) -> AsyncIterator[bytes]:
        """Commit what can be, and answer everything in order."""
        good: list[_Arrived] = []
        for one in ready:
            if one.message is not None:
                good.append(one)
                continue
            async for acknowledgement in self._committed(good, totals):
                yield acknowledgement
            good = []
            yield totals.refuse(one)
        async for acknowledgement in self._committed(good, totals):
            yield acknowledgement

    async def _committed(self, good: Sequence[_Arrived], totals: _Totals) -> AsyncIterator[bytes]:
        """Commit messages together, or, where there is no room for all, one after the other as far as it goes."""
        messages = [one.message for one in good if one.message is not None]
        if not messages:
            return
        try:
            await self._importer.accept(messages)
        except OutboxFull:
            if len(messages) == 1:
                raise
        else:
            yield totals.accept(messages)
            return
        for message in messages:
            await self._importer.accept([message])
            yield totals.accept([message])


class _Arrivals:
    """Messages that were read and wait for the commit before them, a bounded number."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._waiting: deque[_Arrived] = deque()
        self._waiting_bytes = 0
        self._ended = False
        self._failure: Exception | None = None
        self._changed, self._taken = asyncio.Event(), asyncio.Event()

    async def read(self, requests: AsyncIterator[bytes]) -> None:
        """Read until the client's last message; what ends that early is raised by `ready`."""
        try:
            async for request in requests:
                arrived = await self._read_one(request)
                self._waiting.append(arrived)
                self._waiting_bytes += arrived.size_bytes
                self._changed.set()
                while self._full:
                    self._taken.clear()
                    await self._taken.wait()
        except Exception as error:  # noqa: BLE001 - handed to whoever answers the call
            self._failure = error
        finally:
            self._ended = True
            self._changed.set()

    async def ready(self) -> Sequence[_Arrived]:
        """All that wait, at least one; none when there will be no more."""
        while not self._waiting and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        ready = tuple(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._taken.set()
        if not ready and self._failure is not None:
            raise self._failure
        return ready

    @property
    def _full(self) -> bool:
        return len(self._waiting) >= limits.IMPORT_AHEAD_MAX or self._waiting_bytes >= limits.IMPORT_AHEAD_BYTES_MAX

    async def _read_one(self, request: bytes) -> _Arrived:
        try:
            read = await self._reader.read(tracking_pb2.ImportStreamRequest, request)
        except Exception as error:  # noqa: BLE001 - whatever one message fails with is the answer to that message
            return _Arrived(_events_in(request), 0, None, refusal_of(error, METHOD).details)
        return _Arrived(len(read.event_ids), len(request), read.message)


def _events_in(request: bytes) -> int:
    """How many events a message that was refused had, as far as that can be told."""
    try:
        return wire.count(request, EVENTS, len(request))
    except ValueError:
        return 0


class _Totals:
    """What was accepted and refused so far."""

    def __init__(self) -> None:
        self._through = self._accepted = self._refused = self._repeated = 0
        self._outcomes: Counter[Outcome] = Counter()

    def accept(self, messages: Sequence[Message]) -> bytes:
        """Count messages that are on disk; their acknowledgement."""
        for message in messages:
            self._through += len(message.outcomes)
            self._accepted += len(message.outcomes)
            self._repeated += message.repeated
            for outcome, events in tally(message.outcomes).items():
                known = outcome in self._outcomes or len(self._outcomes) < limits.IMPORT_OUTCOMES_MAX
                self._outcomes[outcome if known else _by_word(outcome)] += events
        return self._acknowledgement()

    def refuse(self, one: _Arrived) -> bytes:
        """Count a message of which nothing is accepted; the answer to it."""
        self._through += one.events
        self._refused += one.events
        return self._acknowledgement() + wire.field(_ERROR, one.status)

    def summary(self) -> bytes:
        """The last response."""
        summary = tracking_pb2.ImportSummary(
            accepted_events=self._accepted,
            refused_events=self._refused,
            repeated_events=self._repeated,
            outcomes=(
                tracking_pb2.ImportOutcome(outcome=outcome_message(outcome), events=events)
                for outcome, events in self._outcomes.items()
            ),
        )
        return tracking_pb2.ImportStreamResponse(accepted_through=self._through, summary=summary).SerializeToString()

    def _acknowledgement(self) -> bytes:
        return tracking_pb2.ImportStreamResponse(accepted_through=self._through).SerializeToString()


def _by_word(outcome: Outcome) -> Outcome:
    """An outcome whose reason says what, without what of it: there are few of those."""
    return Outcome(outcome.destination, outcome.state, outcome.reason.partition(":")[0])
