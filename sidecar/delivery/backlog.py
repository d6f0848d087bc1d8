"""What one destination has pending, read ahead of its cursor and rendered, and the batches that it makes.

Holds one batch, by count or by bytes, and what the read that filled it brought beside. Reading changes nothing: what
is forgotten here is read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from sidecar.delivery.turns import Turns
from sidecar.events.model import Event, ProjectFacts
from sidecar.ports import Cursor, Destination, EncodedFacts, Outbox, RecordCodec, Settled, StoredRecord

_FACTS_KEPT: Final = 16
_DETAIL_CHARACTERS_MAX: Final = 300


class FactsOfBatch(NamedTuple):
    """Project facts, decoded once, with what a destination makes of them."""

    facts: ProjectFacts | None
    key: Hashable
    envelope_bytes: int


class Piece(NamedTuple):
    """One event on its way: rendered, or `dead` on arrival, with the reason. `event_id` is empty if unreadable."""

    cursor: Cursor
    rendered: bytes
    of: FactsOfBatch | None
    dead: Settled | None
    event_id: str


Part: TypeAlias = Sequence[Piece]
"""Pieces in queue order: all dead, or all alive and with one batch key."""


class Backlog:
    """The rendered head of one destination's queue."""

    def __init__(self, destination: Destination, outbox: Outbox, codec: RecordCodec, turns: Turns) -> None:
        self._destination = destination
        self._outbox = outbox
        self._codec = codec
        self._turns = turns
        self._pieces: deque[Piece] = deque()
        self._rendered_bytes = 0
        self._read_to: Cursor | None = None
        self._known: dict[str, FactsOfBatch] = {}

    async def fill(self) -> None:
        """Read and render until a whole batch is here or nothing more is pending."""
        limits = self._destination.limits
        wanted = limits.events_max - len(self._pieces)
        # Why bytes too: a thousand of the largest events are gigabytes, of which a batch takes a few at a time.
        if wanted <= 0 or self._rendered_bytes >= limits.bytes_max:
            return
        turns = self._turns
        records = await self._outbox.read(self._destination.name, self._read_to, wanted)
        turns.begin()
        for record in records:
            for piece in self._rendered(record):
                self._pieces.append(piece)
                self._rendered_bytes += len(piece.rendered)
                if turns.over():
                    await turns.pass_on()
            self._read_to = Cursor(record.record_id, record.indexes[-1])

    def take(self) -> Part:
        """The next batch, as large as its bounds allow, or the dead before it; empty when nothing is here."""
        pieces, limits = self._pieces, self._destination.limits
        if not pieces:
            return ()
        part = [pieces.popleft()]
        of = part[0].of
        room = limits.bytes_max - len(part[0].rendered) - (of.envelope_bytes if of else 0)
        while pieces and len(part) < limits.events_max:
            following = pieces[0]
            # One byte between two events: a comma, or a line end.
            room -= len(following.rendered) + 1
            if not _go_together(part[0], following) or (of and room < 0):
                break
            part.append(pieces.popleft())
        self._rendered_bytes -= sum(len(piece.rendered) for piece in part)
        return part

    def forget(self) -> None:
        """Begin again at the destination's cursor: the queue has changed under us."""
        self._pieces.clear()
        self._rendered_bytes = 0
        self._read_to = None

    def _rendered(self, record: StoredRecord) -> Iterator[Piece]:
        """The record's events one by one, each alive or dead, none missing."""
        cursors = [Cursor(record.record_id, index) for index in record.indexes]
        try:
            of = self._facts(record.facts)
            events = self._codec.events(record)
            pairs = list(zip(cursors, events, strict=True))
        except Exception as error:  # noqa: BLE001 - a record that we cannot read must not stop the queue
            yield from (_dead(cursor, "UNREADABLE", _sentence(error)) for cursor in cursors)
            return
        for cursor, event in pairs:
            yield self._piece(cursor, event, of)

    def _piece(self, cursor: Cursor, event: Event, of: FactsOfBatch) -> Piece:
        try:
            rendered = self._destination.render(event, of.facts)
        except Exception as error:  # noqa: BLE001 - an event that we cannot say must not stop the queue
            return _dead(cursor, "UNREADABLE", _sentence(error), event.origin.event_id)
        limits = self._destination.limits
        bytes_max = min(limits.event_bytes_max, limits.bytes_max - of.envelope_bytes)
        if len(rendered) > bytes_max:
            said = f"event is {len(rendered)} bytes as it would be sent, wanted at most {bytes_max}"
            return _dead(cursor, "TOO_LARGE", said, event.origin.event_id)
        return Piece(cursor, rendered, of, None, event.origin.event_id)

    def _facts(self, encoded: EncodedFacts | None) -> FactsOfBatch:
        key = encoded.key if encoded is not None else ""
        known = self._known.get(key)
        if known is None:
            facts = self._codec.facts(encoded) if encoded is not None else None
            destination = self._destination
            known = FactsOfBatch(facts, destination.batch_key(facts), destination.envelope_bytes(facts))
            if len(self._known) >= _FACTS_KEPT:
                self._known.clear()
            self._known[key] = known
        return known


def _go_together(first: Piece, following: Piece) -> bool:
    if first.of is None or following.of is None:
        return first.of is following.of
    return first.of is following.of or first.of.key == following.of.key


def _dead(cursor: Cursor, reason: str, detail: str, event_id: str = "") -> Piece:
    return Piece(cursor, b"", None, Settled(cursor, reason, detail), event_id)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_DETAIL_CHARACTERS_MAX]
