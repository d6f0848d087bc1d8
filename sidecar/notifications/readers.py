"""The act: who listens, and what is queued for each. Rules: docs/notifications.md; why so: docs/decisions/0042.

Each reader has a queue of its own, bounded in number and in bytes: a slow one loses its oldest and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import NamedTuple, Self

from sidecar.errors import SubscribersFull
from sidecar.events.model import NO_VALUES
from sidecar.limits import (
    NOTIFICATIONS_QUEUED_BYTES_MAX,
    NOTIFICATIONS_QUEUED_MAX,
    SUBSCRIBERS_MAX,
    SUBSCRIBERS_RETRY_AFTER_S,
)
from sidecar.notifications.values import (
    DatafileUpdated,
    DecisionMade,
    Kind,
    Notification,
    bytes_of,
    key_of,
    value_bytes,
)
from sidecar.ports import Clock
from sidecar.values import Value


class Told(NamedTuple):
    """One notification as its reader gets it; `lost` = how many it lost since the one before because it was slow.

    `time_ms` is when it was published, milliseconds since 1970 UTC.
    """

    notification: Notification
    lost: int
    time_ms: int


class _Queued(NamedTuple):
    notification: Notification
    time_ms: int
    charged_bytes: int


class Notifications:
    """Who listens, and what they are told. All methods are called on the event loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readers: list[Subscription] = []
        self._wanted: Counter[tuple[Kind, str]] = Counter()
        """How many readers want a kind of a datafile; "" for kinds that concern every datafile."""
        self._revisions: dict[str, str] = {}
        """The last revision told of each datafile, so that the next can name it."""
        self._charged: tuple[Mapping[str, Value], int] = (NO_VALUES, 0)
        """The attributes that were charged last: the decisions of one call share them."""
        self.published = 0
        self.lost = 0

    @property
    def readers(self) -> int:
        """How many listen now."""
        return len(self._readers)

    def wants(self, kind: Kind, datafile: str = "") -> bool:
        """Whether anybody would be told; ask before making a notification. `datafile` is a configured name.

        For DELIVERY, which is told for every datafile, the name is not looked at.
        """
        if not self._readers:
            return False
        return ((kind, "") if kind is Kind.DELIVERY else (kind, datafile)) in self._wanted

    def publish(self, notification: Notification) -> None:
        """Put a notification into the queue of each reader that wants it. Never waits, never fails."""
        if not self._readers:
            return
        key = key_of(notification)
        if key not in self._wanted:
            return
        self.published += 1
        queued = _Queued(notification, self._clock.now_ms(), self._charge(notification))
        for reader in self._readers:
            if key in reader.keys:
                self.lost += reader.put(queued)

    def datafile_applied(self, datafile: str, revision: str) -> None:
        """Tell of an applied revision, and remember it as the one before the next."""
        previous, self._revisions[datafile] = self._revisions.get(datafile, ""), revision
        if self.wants(Kind.DATAFILE_UPDATE, datafile):
            self.publish(DatafileUpdated(datafile=datafile, revision=revision, previous_revision=previous))

    def _charge(self, notification: Notification) -> int:
        """What a notification is charged in each queue."""
        if not isinstance(notification, DecisionMade):
            return bytes_of(notification)
        attributes, charged_bytes = self._charged
        if notification.attributes is not attributes:
            charged_bytes = value_bytes(notification.attributes)
            self._charged = (notification.attributes, charged_bytes)
        return value_bytes(notification.user_id) + charged_bytes

    def subscribe(self, kinds: Collection[Kind], datafile: str) -> Subscription:
        """Listen from now on to these kinds (none = all) of one datafile, by its configured name.

        The reader must close what it gets, best by `with`. Raises `SubscribersFull`.
        """
        if len(self._readers) >= SUBSCRIBERS_MAX:
            raise SubscribersFull(readers_max=SUBSCRIBERS_MAX, retry_after_s=SUBSCRIBERS_RETRY_AFTER_S)
        keys = frozenset((kind, "" if kind is Kind.DELIVERY else datafile) for kind in kinds or Kind)
        reader = Subscription(self, keys)
        self._readers.append(reader)
        self._wanted.update(keys)
        return reader

    def leave(self, reader: Subscription) -> None:
        """Forget a reader; one that has left already is no error."""
        if reader in self._readers:
            self._readers.remove(reader)
            self._wanted -= Counter(reader.keys)


class Subscription:
    """One reader's queue: an asynchronous iterator of `Told`, without end, to be closed by its reader."""

    def __init__(self, notifications: Notifications, keys: frozenset[tuple[Kind, str]]) -> None:
        self.keys = keys
        self._notifications = notifications
        self._queue: deque[_Queued] = deque()
        self._queued_bytes = 0
        self._lost = 0
        self._news = asyncio.Event()

    def put(self, queued: _Queued) -> int:
        """Add one; returns how many of the oldest had to go for it. The newest is always kept."""
        queue = self._queue
        queue.append(queued)
        self._queued_bytes += queued.charged_bytes
        lost = 0
        while len(queue) > NOTIFICATIONS_QUEUED_MAX or (
            self._queued_bytes > NOTIFICATIONS_QUEUED_BYTES_MAX and len(queue) > 1
        ):
            self._queued_bytes -= queue.popleft().charged_bytes
            lost += 1
        self._lost += lost
        self._news.set()
        return lost

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._notifications.leave(self)
        self._queue.clear()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Told:
        while not self._queue:
            self._news.clear()
            await self._news.wait()
        notification, time_ms, charged_bytes = self._queue.popleft()
        self._queued_bytes -= charged_bytes
        lost, self._lost = self._lost, 0
        return Told(notification, lost, time_ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
