"""The durable queue between accepting and delivering."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from sidecar.values import Outcome


class EncodedFacts(NamedTuple):
    """Project facts as bytes; `key` is equal for equal facts, so that a row is written once per revision."""

    key: str
    body: bytes


Routes: TypeAlias = tuple[tuple[str, int], ...]
"""Who gets what: (destination name, bit mask of event indexes within the record), in the order of the config."""


class Record(Struct, frozen=True, gc=False):
    """The events of one call, as one row. Immutable; valid if it exists.

    `body` is read by `RecordCodec` alone. `event_ids` holds the ids that callers chose, by index ("" = the server's
    own); empty when there is none. `outcomes`, by index, is what a repeat of that id is answered. `joins` promises that
    bodies may be joined: read together, one after the other, they hold the events of the first and then of the second.
    """

    body: bytes
    facts: EncodedFacts | None
    routes: Routes
    event_count: int
    received_ms: int
    event_ids: tuple[str, ...] = ()
    outcomes: tuple[tuple[Outcome, ...], ...] = ()
    joins: bool = False


Entries: TypeAlias = Sequence["tuple[Outcome, ...] | None"]
"""What an accepted record is answered, an entry an event, in order: None for one that is queued now, and the first
one's outcomes for one whose id is remembered (that event is not queued again)."""


class Written(Struct, eq=False):
    """What an append comes to: entries once its transaction is committed, or the error. Of the event loop's thread.

    It can be awaited, by one. Why no future of asyncio: that calls its listeners by way of the loop, with a handle for
    each, and of the hundred that one commit answers each would cost more than its event.
    """

    _done: bool = False
    _entries: Entries = ()
    _error: Exception | None = None
    _listener: Callable[[], None] | None = None

    def then(self, listener: Callable[[], None]) -> None:
        """Have a listener, which never raises, called as soon as it is done; it takes the place of the one before."""
        if self._done:
            listener()
        else:
            self._listener = listener

    def result(self) -> Entries:
        """The entries; raises the error. Only when it is done."""
        assert self._done, "asked before it was done"
        if self._error is not None:
            raise self._error
        return self._entries

    def settle(self, entries: Entries) -> None:
        """Say what was accepted, once."""
        # Why the listener is let go: it often knows who holds this, and a cycle is freed by the collector alone.
        listener, self._listener = self._listener, None
        self._entries, self._done = entries, True
        if listener is not None:
            listener()

    def fail(self, error: Exception) -> None:
        """Say why nothing was, once."""
        listener, self._listener = self._listener, None
        self._error, self._done = error, True
        if listener is not None:
            listener()

    def __await__(self) -> Generator[object, None, Entries]:
        if not self._done:
            told = get_running_loop().create_future()
            self.then(lambda: None if told.done() else told.set_result(None))
            yield from told
        return self.result()


class Cursor(NamedTuple):
    """A place in the queue: everything up to and including event `event_index` of record `record_id` is behind it."""

    record_id: int
    event_index: int


START = Cursor(0, -1)


class StoredRecord(NamedTuple):
    """A record as read for one destination: `indexes` are the events it is queued for there, after the cursor."""

    record_id: int
    body: bytes
    facts: EncodedFacts | None
    indexes: tuple[int, ...]
    received_ms: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one event at one destination: delivered when `dead_reason` is empty, else a dead letter.

    `dead_reason` is an upper-case word (REFUSED, TOO_LARGE, EXPIRED, OVERFLOW, UNREADABLE), `detail` a sentence for a
    person without secrets, `status` the HTTP status or 0, `attempts` how often the event was sent in the batch (of one,
    if it was refused) that was given up; 0 = never.
    """

    cursor: Cursor
    dead_reason: str = ""
    detail: str = ""
    status: int = 0
    attempts: int = 0


class DeadLetter(NamedTuple):
    """An event that one destination will never get unless it is requeued. Times in milliseconds since 1970 UTC."""

    dead_id: int
    destination: str
    record: StoredRecord
    reason: str
    detail: str
    status: int
    died_ms: int
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationCounts:
    """Events of one destination since its outbox was made: accepted = delivered + pending + dead + sum(dropped).

    `oldest_pending_ms` is the receipt of the oldest pending event, 0 when there is none. Bytes are the stored size.
    """

    destination: str
    accepted: int
    delivered: int
    pending: int
    pending_bytes: int
    dead: int
    dead_bytes: int
    dropped: Mapping[str, int]
    oldest_pending_ms: int = 0

    @property
    def conserved(self) -> bool:
        """Whether the counts add up, as they must at all times."""
        return self.accepted == self.delivered + self.pending + self.dead + sum(self.dropped.values())


class Outbox(Protocol):
    """A durable queue with one cursor per destination. All methods are called on the event loop's thread.

    What is offered and appended is read in the order in which it was given.
    """

    def offer(self, record: Record) -> bool:
        """Take a record without waiting; False when it had to be refused. Never raises, never blocks.

        It is accepted with the next commit, at the latest `COMMIT_INTERVAL_S` from now; a kill before that loses it.
        """
        ...

    def append(self, record: Record) -> Written:
        """Take a record; what it comes to is known when its transaction is committed.

        Raises `OutboxUnwritable` when it is closed or too much waits; so may what is returned, and `OutboxFull`.
        """
        ...

    async def append_together(self, records: Sequence[Record]) -> Entries:
        """Take several records in one transaction, all or none: the entries of `append`, of all of them in order.

        Raises `OutboxFull` when one of them would be refused behind those before it, `OutboxUnwritable`.
        """
        ...

    async def arrival(self, destination: str) -> None:
        """Returns when the destination has pending events; at once when it has some."""
        ...

    def pending(self, destination: str) -> int:
        """How many events the destination has pending, as of the last commit."""
        ...

    async def read(self, destination: str, after: Cursor | None, events_max: int) -> Sequence[StoredRecord]:
        """The oldest pending events after a cursor (None = the destination's own), at most `events_max`.

        Changes nothing: the same call gives the same answer until `settle`.
        """
        ...

    async def settle(self, destination: str, settled: Sequence[Settled]) -> None:
        """Move the cursor past these events, in queue order, and count them, in one transaction. Durable on return.

        Events that are already behind the cursor are passed over, so that calling twice counts once.
        """
        ...

    async def expire(self, destination: str, before_ms: int) -> int:
        """Make dead letters (EXPIRED) of pending events received before a time; returns how many."""
        ...

    async def position(self) -> int:
        """The id of the newest committed record, after committing all that was offered before this call."""
        ...

    async def left(self, destination: str, through: int) -> int:
        """How many events of records up to and including `through` the destination still has pending."""
        ...

    async def counts(self) -> Sequence[DestinationCounts]:
        """The counts of every destination that the outbox knows, consistent with each other."""
        ...

    async def dead_letters(self, destination: str, after: int, limit: int) -> Sequence[DeadLetter]:
        """Dead letters with `dead_id` > `after`, oldest first, at most `limit`.

        Fewer when their records are large; none only when there is none.
        """
        ...

    async def requeue(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        """Put dead letters (None = all) at the end of the queue of their destination; returns how many."""
        ...

    async def purge(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        """Drop dead letters (None = all) for good, counted as dropped{PURGED}; returns how many."""
        ...

    async def close(self) -> None:
        """Commit what was offered and close. Idempotent."""
        ...
