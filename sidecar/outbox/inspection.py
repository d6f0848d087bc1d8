"""A look at an outbox file from outside, also while another process works with it. Writes nothing.

Each function raises `OutboxSchemaNewer`, `OutboxUnopened` (no such file, not readable, no outbox).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sidecar.outbox.opening import open_read_only
from sidecar.outbox.schema import Durability
from sidecar.outbox.store import Opening, Store
from sidecar.ports import Clock, DeadLetter, DestinationCounts, StoredRecord


def read_counts(path: Path, clock: Clock) -> Sequence[DestinationCounts]:
    """The counts of every destination in an outbox file, consistent with each other."""
    with _reading(path, clock) as store:
        return store.counts()


def read_pending(path: Path, clock: Clock, destination: str, limit: int) -> Sequence[StoredRecord]:
    """The oldest events that a destination has pending; none for one that the file does not know."""
    with _reading(path, clock) as store:
        return store.read(destination, None, limit)


def read_dead_letters(path: Path, clock: Clock, destination: str, limit: int) -> Iterator[DeadLetter]:
    """The oldest dead letters of a destination, a page at a time; none for one that the file does not know."""
    with _reading(path, clock) as store:
        left, after = limit, 0
        while left and (page := store.dead_letters(destination, after, left)):
            yield from page
            left, after = left - len(page), page[-1].dead_id


@contextmanager
def _reading(path: Path, clock: Clock) -> Iterator[Store]:
    """A store that sees the file as of one moment."""
    with open_read_only(path) as connection:
        connection.execute("BEGIN")
        yield Store(
            connection,
            Opening(
                directory=path.parent, durability=Durability.PROCESS, destinations={}, former_names={}, clock=clock
            ),
        )
