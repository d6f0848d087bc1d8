"""Where events go."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sidecar.errors import Violation
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.retry import Verdict
from sidecar.values import Outcome


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


class EventSort(NamedTuple):
    """What may be known of an event without reading its values: enough to say where most of a history goes.

    Events of a sort have no `integrations`, neither at the top nor inside `context`, and no typed revenue; a `simple`
    one has no `properties`, and `event_tags` that `events.money.are_simple`, any other no `event_tags`. `event_key` is
    empty but for a Track; as JSON of any form an event takes at most `bytes_at_most` for each time that its values
    stand in it.
    """

    kind: EventKind
    event_key: str
    historical: bool
    bytes_at_most: int
    simple: bool = False


class Destination(Protocol):
    """A place where events go. One small module each, all of the same shape; `destinations/stdout.py` is the smallest.

    `takes`, `route`, `route_alike`, `batch_key` and `render` are pure; `send` alone does I/O and never raises for what
    the other side does: every failure is an `Answer`.
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

    @property
    def chooses_impressions(self) -> bool:
        """Whether `route` can skip an impression of a kind that it `takes`, for what is in it.

        False promises that each is queued there, so that a decision need not ask.
        """
        ...

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        """What in an event that would be queued there must refuse the call: an amount that would be lost, say.

        Empty for most. Fields are named by their path in the request, as `event_tags.revenue`.
        """
        ...

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        """Whether this event is queued there, decided once, when it is accepted."""
        ...

    def route_alike(self, sort: EventSort, facts: ProjectFacts | None) -> Outcome | None:
        """What `route` answers to every event of this sort, and `check` finds nothing in any; None = look at each."""
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
