"""The seams: what the acts need from the world, as protocols. Adapters implement them, `app` puts them together.

Each method states its units, its errors and whether it may be called twice. Values of a seam are defined beside it.
Nothing here imports an adapter, a wire format or a library.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from sidecar.decision import CompiledDatafile, Decision
from sidecar.errors import Violation
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.retry import Verdict
from sidecar.values import Outcome


class Ids(Protocol):
    """Randomness where an id is needed."""

    def new(self) -> str:
        """A version 4 UUID, lower case with hyphens; never the same twice."""
        ...


class Clock(Protocol):
    """Time, as an argument of everything that needs it."""

    def now_ms(self) -> int:
        """Wall clock: milliseconds since 1970 UTC. May step back and forth."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary point, never back. For intervals and deadlines."""
        ...


# --- where a datafile comes from ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body as its source gave it. `version` is the source's own token (a content hash, an ETag)."""

    body: bytes
    version: str


class Source(Protocol):
    """A place that holds a datafile and can say when a look is worth it.

    Used by one task at a time: read, apply, `applied`, `changed`, and again.
    """

    @property
    def location(self) -> str:
        """The place in words, for logs and `GetStatus`: a path or a URL without its secrets."""
        ...

    async def read(self) -> Fetched | None:
        """The body, or None when it is the one last given to `applied`.

        Raises `SourceUnavailable` (unreadable, gone, empty, timed out, refused), as often as it is called.
        """
        ...

    def applied(self, fetched: Fetched) -> None:
        """The body was parsed, compiled and swapped in: only now may its version be kept. Idempotent."""
        ...

    async def changed(self, failures: int) -> None:
        """Returns when a read is worth it: a change was seen, or the poll interval passed.

        `failures` counts the reads and applications that failed in a row (0 = the last went well); a polling
        source backs off by it. May be cancelled at any time.
        """
        ...

    async def close(self) -> None:
        """Release watches and connections. Idempotent."""
        ...


# --- the outbox ---------------------------------------------------------------------------------------------------


class EncodedFacts(NamedTuple):
    """Project facts as bytes; `key` is equal for equal facts, so that a row is written once per revision."""

    key: str
    body: bytes


Routes: TypeAlias = tuple[tuple[str, int], ...]
"""Who gets what: (destination name, bit mask of event indexes within the record), in the order of the config."""


class Record(NamedTuple):
    """The events of one call, as one row. Immutable; valid if it exists.

    `body` is read by `RecordCodec` alone. `event_ids` holds the ids that callers chose, by index ("" = the server's
    own); empty when there is none. `outcomes`, by index, is what a repeat of that id is answered.
    """

    body: bytes
    facts: EncodedFacts | None
    routes: Routes
    event_count: int
    received_ms: int
    event_ids: tuple[str, ...] = ()
    outcomes: tuple[tuple[Outcome, ...], ...] = ()


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
    person without secrets, `status` the HTTP status or 0.
    """

    cursor: Cursor
    dead_reason: str = ""
    detail: str = ""
    status: int = 0


class DeadLetter(NamedTuple):
    """An event that one destination will never get unless it is requeued. Times in milliseconds since 1970 UTC."""

    dead_id: int
    destination: str
    record: StoredRecord
    reason: str
    detail: str
    status: int
    died_ms: int


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

    async def append(self, record: Record) -> Sequence[tuple[Outcome, ...] | None]:
        """Take a record and return when its transaction is committed: one entry an event, in order.

        An entry is None for an event that is queued now, and the first one's outcomes for an event whose id is
        remembered (that event is not queued again). Raises `OutboxFull`, `OutboxUnwritable`.
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
        """Dead letters with `dead_id` > `after`, oldest first."""
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


class RecordCodec(Protocol):
    """Reads what the faces wrote into the outbox. Pure; a body that cannot be read raises `ValueError`."""

    def events(self, record: StoredRecord) -> Sequence[Event]:
        """The record's events at `record.indexes`, in that order."""
        ...

    def facts(self, facts: EncodedFacts) -> ProjectFacts:
        """Project facts as they were when the record was accepted."""
        ...

    def encode_facts(self, facts: ProjectFacts) -> EncodedFacts:
        """The other way; equal facts give an equal key."""
        ...


# --- decisions as bytes -------------------------------------------------------------------------------------------


class Rendered(NamedTuple):
    """One decision in the form the wire wants: `answer` goes into the reply, `impressions` into the outbox record."""

    answer: bytes
    impressions: tuple[bytes, ...]


class DecisionCodec(Protocol):
    """Keeps decisions as bytes, so that a reply is a join of them."""

    def render(self, compiled: CompiledDatafile) -> Mapping[Decision, Rendered]:
        """The bytes of every prebuilt decision; a decision that is not among them is rendered on look-up.

        Pure and thread-safe; called off the event loop when a datafile is applied.
        """
        ...

    def record(
        self,
        call: bytes,
        decision_id: str,
        received_ms: int,
        datafile: str,
        impressions: Sequence[bytes],
    ) -> bytes:
        """The body of the outbox record of one Decide: its request as received, and the impressions it made.

        `impressions` are those of `Rendered`, in order: the event indexes of the record.
        """
        ...


# --- where events go ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt to send a batch. `detail` is for a person and holds no secret.

    `retry_after_s` is the destination's own wish, None when it said nothing; `status` the HTTP status or 0.
    """

    verdict: Verdict
    detail: str = ""
    status: int = 0
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much one batch may hold and how long an event may wait for company.

    `bytes_max` bounds the whole body before compression: envelope, events and the byte between two of them.
    """

    events_max: int
    bytes_max: int
    event_bytes_max: int
    age_max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events rendered for one destination, in queue order, all with the same `Destination.batch_key`.

    `batch_id` is the same for the same events at each attempt of one process; `attempt` counts from 0.
    """

    batch_id: str
    facts: ProjectFacts | None
    rendered: Sequence[bytes]
    attempt: int
    now_ms: int


class Destination(Protocol):
    """A place where events go. One small module each, all of the same shape; `destinations/stdout.py` is the smallest.

    `takes`, `route`, `batch_key` and `render` are pure; `send` alone does I/O and never raises for what the other side
    does: every failure is an `Answer`.
    """

    @property
    def name(self) -> str:
        """The name in the config; unique, stable over restarts (the outbox knows it by this name)."""
        ...

    @property
    def limits(self) -> BatchLimits:
        """The bounds of one batch."""
        ...

    def takes(self, kind: EventKind) -> bool:
        """Whether events of this kind go there at all."""
        ...

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        """What in an event that would be queued there must refuse the call: an amount that would be lost, say.

        Empty for most. Fields are named by their path in the request, as `event_tags.revenue`.
        """
        ...

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        """Whether this event is queued there, decided once, when it is accepted."""
        ...

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """Events with equal keys may share a batch."""
        ...

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """What a batch of these facts weighs besides its events and the one byte between two of them, at most."""
        ...

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """One event in the form that `send` joins. The same event gives the same bytes.

        Raises `ValueError` when the event has no such form; it becomes a dead letter.
        """
        ...

    async def send(self, batch: Batch) -> Answer:
        """Try once to deliver; bounded in time. At least once: the same batch may come again."""
        ...

    async def close(self) -> None:
        """Release connections and files. Idempotent."""
        ...
