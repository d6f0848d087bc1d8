"""The rows of one commit. Records that go the same way share one: a row costs the same for one event as for many.

Pure. What shares: records one after the other whose bodies may be joined (`ports.Record.joins`), of the same facts,
each event of which goes to the same destinations. Why not more: a row is read, and kept while one of its events is, as
a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from sidecar.limits import JOINED_BYTES_MAX, JOINED_EVENTS_MAX
from sidecar.outbox.rows import Target, event_bytes, pack_routes
from sidecar.ports import Record

Columns: TypeAlias = tuple[int, int, int, bytes, bytes]
"""facts_id, received_ms, event_count, routes, body."""


class Plan(NamedTuple):
    """Routes by destination id. `whole` is how many events a record has when each goes to every target, else 0."""

    packed: bytes
    targets: tuple[Target, ...]
    whole: int
    destination_ids: tuple[int, ...]

    @classmethod
    def of(cls, targets: tuple[Target, ...]) -> Plan:
        """The plan of these targets."""
        masks = {target.mask for target in targets}
        mask = masks.pop() if len(masks) == 1 else 0
        whole = mask.bit_length() if mask & mask + 1 == 0 else 0
        return cls(pack_routes(targets), targets, whole, tuple(target.destination_id for target in targets))


class Row:
    """One row to be: the record that began it, and those that joined."""

    __slots__ = ("_bodies", "_facts_id", "_joinable", "_plan", "_received_ms", "_size", "event_count")

    def __init__(self, record: Record, plan: Plan, facts_id: int) -> None:
        self._plan, self._facts_id = plan, facts_id
        self._received_ms = record.received_ms
        self._bodies = [record.body]
        self._size = len(record.body)
        self.event_count = record.event_count
        self._joinable = record.joins and plan.whole == record.event_count

    @property
    def event_bytes(self) -> int:
        """The stored size of each of its events."""
        return event_bytes(self._size, self.event_count)

    def targets(self) -> Iterable[tuple[int, int]]:
        """(destination id, how many of its events go there)."""
        if len(self._bodies) == 1:
            return ((target.destination_id, target.events) for target in self._plan.targets)
        return ((destination_id, self.event_count) for destination_id in self._plan.destination_ids)

    def joins(self, record: Record, plan: Plan, facts_id: int) -> bool:
        """Whether a record shares this row; it does from now on."""
        if not (self._joinable and record.joins and plan.whole == record.event_count and facts_id == self._facts_id):
            return False
        if plan is not self._plan and plan.destination_ids != self._plan.destination_ids:
            return False
        events, size = self.event_count + record.event_count, self._size + len(record.body)
        if events > JOINED_EVENTS_MAX or size > JOINED_BYTES_MAX:
            return False
        self.event_count, self._size = events, size
        self._bodies.append(record.body)
        return True

    def columns(self) -> Columns:
        """The row as it is inserted."""
        packed, bodies = self._plan.packed, self._bodies
        if len(bodies) == 1:
            return self._facts_id, self._received_ms, self.event_count, packed, bodies[0]
        packed = _packed(self._plan.destination_ids, self.event_count)
        return self._facts_id, self._received_ms, self.event_count, packed, b"".join(bodies)


@lru_cache(maxsize=1024)
def _packed(destination_ids: tuple[int, ...], event_count: int) -> bytes:
    """The routes of a row each event of which goes to every one of these."""
    every = (1 << event_count) - 1
    return pack_routes(Target(destination_id, every, event_count) for destination_id in destination_ids)
