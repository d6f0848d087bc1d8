"""An outbox in memory that keeps the promises of `ports.Outbox` the plain way: lists, one record after the other.

Stands in for `SqliteOutbox` in the tests of others, and is the model that it is compared with; tests/outbox checks both
by the same contract. A record is committed when it is given. `refusal`, when set, is raised by `append` and refuses
offers, as a full disk does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.errors import OutboxFull, OutboxUnwritable
from sidecar.outbox import DestinationBounds
from sidecar.outbox.rows import event_bytes
from sidecar.ports import (
    Clock,
    Cursor,
    DeadLetter,
    DestinationCounts,
    Record,
    Settled,
    StoredRecord,
    Written,
)
from sidecar.values import Outcome


@dataclass(slots=True)
class _Queued:
    """One pending event of one destination; `queued_ms` is what its age counts from."""

    cursor: Cursor
    record: Record
    queued_ms: int

    @property
    def size(self) -> int:
        return event_bytes(len(self.record.body), self.record.event_count)

    @property
    def stored(self) -> StoredRecord:
        record = self.record
        return StoredRecord(self.cursor.record_id, record.body, record.facts, (self.cursor[1],), record.received_ms)


@dataclass(slots=True)
class _Dead:
    dead_id: int
    event: _Queued
    reason: str
    detail: str
    status: int
    died_ms: int
    attempts: int


@dataclass(slots=True)
class _Account:
    bounds: DestinationBounds
    queue: list[_Queued] = field(default_factory=list)
    dead: list[_Dead] = field(default_factory=list)
    accepted: int = 0
    delivered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pending_bytes(self) -> int:
        return sum(event.size for event in self.queue)

    @property
    def dead_bytes(self) -> int:
        return sum(dead.event.size for dead in self.dead)

    def drop(self, dead: Sequence[_Dead], reason: str) -> None:
        if dead:
            self.dropped[reason] = self.dropped.get(reason, 0) + len(dead)
        self.dead = [one for one in self.dead if one not in dead]


class FakeOutbox:
    def __init__(self, destinations: Mapping[str, DestinationBounds], clock: Clock) -> None:
        self.refusal: OutboxUnwritable | None = None
        self.closed = False
        self._clock = clock
        self._accounts = {name: _Account(bounds) for name, bounds in destinations.items()}
        self._remembered: dict[str, tuple[Outcome, ...]] = {}
        self._last_record_id = 0
        self._last_dead_id = 0

    def offer(self, record: Record) -> bool:
        if self.closed or self.refusal:
            return False
        return not isinstance(self._take(record), OutboxFull)

    def append(self, record: Record) -> Written:
        if self.refusal:
            raise self.refusal
        answer = self._take(record)
        written = Written()
        if isinstance(answer, OutboxFull):
            written.fail(answer)
        else:
            written.settle(answer)
        return written

    async def append_together(self, records: Sequence[Record]) -> Sequence[tuple[Outcome, ...] | None]:
        if self.refusal:
            raise self.refusal
        answers: list[tuple[Outcome, ...] | None] = []
        remembered = dict(self._remembered)
        arriving: dict[str, int] = {}
        judged = []
        for record in records:
            answer, wanted, full = self._judge(record, remembered, arriving)
            if full is not None:
                raise full
            answers += answer
            judged.append((record, wanted))
        self._remembered = remembered
        for record, wanted in judged:
            self._enqueue(record, wanted, record.received_ms)
        await asyncio.sleep(0)
        return answers

    def _take(self, record: Record) -> Sequence[tuple[Outcome, ...] | None] | OutboxFull:
        remembered = dict(self._remembered)
        answer, wanted, full = self._judge(record, remembered, {})
        if full is not None:
            return full
        self._remembered = remembered
        self._enqueue(record, wanted, record.received_ms)
        return answer

    def _judge(
        self, record: Record, remembered: dict[str, tuple[Outcome, ...]], arriving: dict[str, int]
    ) -> tuple[list[tuple[Outcome, ...] | None], dict[str, list[int]], OutboxFull | None]:
        """The answer, the events that each destination gets, and the refusal; what is remembered and arrives grows."""
        answer: list[tuple[Outcome, ...] | None] = [None] * record.event_count
        for index, event_id in enumerate(record.event_ids):
            answer[index] = remembered.get(event_id) if event_id else None
            if event_id and answer[index] is None:
                remembered[event_id] = record.outcomes[index] if record.outcomes else ()
        wanted = {
            name: [i for i in range(record.event_count) if mask >> i & 1 and answer[i] is None]
            for name, mask in record.routes
        }
        wanted = {name: indexes for name, indexes in wanted.items() if indexes}
        size = event_bytes(len(record.body), record.event_count)
        for name, indexes in wanted.items():
            arriving[name] = arriving.get(name, 0) + size * len(indexes)
        rooms = {name: self._accounts[name].bounds.bytes_max for name in wanted}
        full = None
        if wanted and all(self._accounts[name].pending_bytes + arriving[name] > rooms[name] for name in wanted):
            full = OutboxFull(limit_bytes=max(rooms.values()), retry_after_s=1)
        return answer, wanted, full

    def _enqueue(self, record: Record, wanted: Mapping[str, Sequence[int]], queued_ms: int) -> None:
        if not wanted:
            return
        self._last_record_id += 1
        for name, indexes in wanted.items():
            account = self._accounts[name]
            account.accepted += len(indexes)
            account.queue += [_Queued(Cursor(self._last_record_id, i), record, queued_ms) for i in indexes]
            while account.pending_bytes > account.bounds.bytes_max:
                self._die(account, account.queue.pop(0), "OVERFLOW")
            self._note(account)

    def _die(  # noqa: PLR0917 - one argument a field of `Settled`, in its order
        self, account: _Account, event: _Queued, reason: str, detail: str = "", status: int = 0, attempts: int = 0
    ) -> None:
        self._last_dead_id += 1
        account.dead.append(_Dead(self._last_dead_id, event, reason, detail, status, self._clock.now_ms(), attempts))
        while account.dead_bytes > account.bounds.dead_letter_bytes_max:
            account.drop(account.dead[:1], "DEAD_LETTERS_FULL")

    def _note(self, account: _Account) -> None:
        if account.queue:
            account.arrived.set()
        else:
            account.arrived.clear()

    async def arrival(self, destination: str) -> None:
        await self._accounts[destination].arrived.wait()

    def pending(self, destination: str) -> int:
        return len(self._accounts[destination].queue)

    async def read(self, destination: str, after: Cursor | None, events_max: int) -> Sequence[StoredRecord]:
        queue = self._accounts[destination].queue
        events = [event for event in queue if after is None or event.cursor > after]
        records: dict[int, StoredRecord] = {}
        for event in events[:events_max]:
            stored = event.stored
            known = records.get(stored.record_id)
            indexes = (known.indexes if known else ()) + stored.indexes
            records[stored.record_id] = stored._replace(indexes=indexes)
        return list(records.values())

    async def settle(self, destination: str, settled: Sequence[Settled]) -> None:
        account = self._accounts[destination]
        front = account.queue[0].cursor if account.queue else Cursor(self._last_record_id + 1, 0)
        ahead = [one for one in settled if one.cursor >= front]
        if [one.cursor for one in ahead] != [event.cursor for event in account.queue[: len(ahead)]]:
            raise ValueError("settled events are not the oldest pending ones")
        for one in ahead:
            event = account.queue.pop(0)
            if one.dead_reason:
                self._die(account, event, one.dead_reason, one.detail, one.status, one.attempts)
            else:
                account.delivered += 1
        self._note(account)

    async def expire(self, destination: str, before_ms: int) -> int:
        account = self._accounts[destination]
        expired = 0
        while account.queue and account.queue[0].queued_ms < before_ms:
            self._die(account, account.queue.pop(0), "EXPIRED")
            expired += 1
        self._note(account)
        return expired

    async def position(self) -> int:
        return self._last_record_id

    async def left(self, destination: str, through: int) -> int:
        return sum(event.cursor.record_id <= through for event in self._accounts[destination].queue)

    async def counts(self) -> Sequence[DestinationCounts]:
        return [
            DestinationCounts(
                destination=name,
                accepted=account.accepted,
                delivered=account.delivered,
                pending=len(account.queue),
                pending_bytes=account.pending_bytes,
                dead=len(account.dead),
                dead_bytes=account.dead_bytes,
                dropped=dict(account.dropped),
                oldest_pending_ms=account.queue[0].record.received_ms if account.queue else 0,
            )
            for name, account in self._accounts.items()
        ]

    async def dead_letters(self, destination: str, after: int, limit: int) -> Sequence[DeadLetter]:
        dead = [one for one in self._accounts[destination].dead if one.dead_id > after][:limit]
        return [
            DeadLetter(
                one.dead_id,
                destination,
                one.event.stored,
                one.reason,
                one.detail,
                one.status,
                one.died_ms,
                one.attempts,
            )
            for one in dead
        ]

    async def requeue(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        account = self._accounts[destination]
        room = account.bounds.bytes_max - account.pending_bytes
        by_record: dict[int, list[_Dead]] = {}
        for one in self._named(account, dead_ids):
            room -= one.event.size
            if room < 0:
                break
            by_record.setdefault(one.event.cursor.record_id, []).append(one)
        for dead in by_record.values():
            indexes = [one.event.cursor[1] for one in dead]
            self._enqueue(dead[0].event.record, {destination: indexes}, self._clock.now_ms())
            account.accepted -= len(indexes)
            account.dead = [one for one in account.dead if one not in dead]
        return sum(map(len, by_record.values()))

    async def purge(self, destination: str, dead_ids: Sequence[int] | None) -> int:
        account = self._accounts[destination]
        named = self._named(account, dead_ids)
        account.drop(named, "PURGED")
        return len(named)

    def _named(self, account: _Account, dead_ids: Sequence[int] | None) -> list[_Dead]:
        return [one for one in account.dead if dead_ids is None or one.dead_id in dead_ids]

    async def close(self) -> None:
        self.closed = True
