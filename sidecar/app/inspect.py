"""The outbox in the data directory of a daemon, for the command line: looked at any time, changed while nobody runs it.

What comes back are plain mappings; their keys are documented in docs/commands.md "outbox".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sidecar import config
from sidecar.app.file import read_file
from sidecar.app.settings import Settings
from sidecar.app.system import SystemClock, locked
from sidecar.events.model import kind_of
from sidecar.events.plain import json_event
from sidecar.events.wire import instant
from sidecar.outbox import (
    FILE_NAME,
    DestinationBounds,
    Durability,
    OutboxSection,
    SqliteOutbox,
    read_counts,
    read_dead_letters,
    read_pending,
)
from sidecar.ports import StoredRecord
from sidecar.rpc.records import StoredRecordCodec

_CODEC: Final = StoredRecordCodec()


def outbox_counts(data_dir: Path) -> Sequence[dict[str, Any]]:
    """The counts of every destination. Raises `OutboxUnopened`, as all of these, when there is no outbox."""
    return [
        {
            "destination": counts.destination,
            "accepted": counts.accepted,
            "delivered": counts.delivered,
            "pending": counts.pending,
            "pending_bytes": counts.pending_bytes,
            "dead": counts.dead,
            "dead_bytes": counts.dead_bytes,
            "dropped": dict(counts.dropped),
            "oldest_pending_ms": counts.oldest_pending_ms,
            "conserved": counts.conserved,
        }
        for counts in read_counts(data_dir / FILE_NAME, SystemClock())
    ]


def pending(data_dir: Path, destination: str, limit: int) -> Sequence[dict[str, Any]]:
    """The oldest events that wait for a destination."""
    records = read_pending(data_dir / FILE_NAME, SystemClock(), destination, limit)
    return [_event(record._replace(indexes=(index,))) for record in records for index in record.indexes]


def dead_letters(data_dir: Path, destination: str, limit: int) -> Sequence[dict[str, Any]]:
    """The oldest dead letters of a destination."""
    return [
        {
            "dead_letter_id": str(letter.dead_id),
            "reason": letter.reason,
            "error": letter.detail,
            "http_status": letter.status,
            "attempts": letter.attempts,
            "dead_time": instant(letter.died_ms),
            "event": _event(letter.record),
        }
        for letter in read_dead_letters(data_dir / FILE_NAME, SystemClock(), destination, limit)
    ]


def requeue(data_dir: Path, destination: str, dead_ids: Sequence[int] | None, bytes_max: int) -> dict[str, int]:
    """Put dead letters (None = all) back into the queue of a stopped daemon, within the bound of what may be pending.

    Raises `DataDirectoryLocked`, which names the holder, when the daemon runs; nothing is changed then.
    """

    async def act(outbox: SqliteOutbox) -> dict[str, int]:
        requeued = await outbox.requeue(destination, dead_ids)
        return {"requeued": requeued, "left": await _left(outbox, destination, dead_ids)}

    return _changed(data_dir, act, DestinationBounds(bytes_max=bytes_max))


async def _left(outbox: SqliteOutbox, destination: str, dead_ids: Sequence[int] | None) -> int:
    """How many of those asked for are still dead letters."""
    if dead_ids is None:
        return sum(one.dead for one in await outbox.counts() if one.destination == destination)
    found = [(dead_id, await outbox.dead_letters(destination, dead_id - 1, 1)) for dead_id in set(dead_ids)]
    return sum(bool(some) and some[0].dead_id == dead_id for dead_id, some in found)


def purge(data_dir: Path, destination: str, dead_ids: Sequence[int] | None) -> dict[str, int]:
    """Drop dead letters (None = all) of a stopped daemon for good. Raises as `requeue`."""

    async def act(outbox: SqliteOutbox) -> dict[str, int]:
        return {"purged": await outbox.purge(destination, dead_ids)}

    return _changed(data_dir, act, DestinationBounds())


def outbox_bytes_max(file: Path | None, environment: Mapping[str, str]) -> int:
    """The bound of what a destination may have pending, as a daemon with this file and environment takes it.

    Raises `ConfigInvalid`.
    """
    known = list(config.options(Settings))
    given = config.merge(read_file(file) if file else {}, config.from_environment(known, environment))
    section = given.get("outbox") or {}
    return config.read(OutboxSection, section if isinstance(section, Mapping) else {}, "outbox").bytes_max


def _changed(
    data_dir: Path, act: Callable[[SqliteOutbox], Awaitable[dict[str, int]]], bounds: DestinationBounds
) -> dict[str, int]:
    # Why looked at first: opening would make a file where there is none.
    known = [counts.destination for counts in read_counts(data_dir / FILE_NAME, SystemClock())]

    async def change() -> dict[str, int]:
        # Why all that the file knows: what counts as removed would lose its place in the queue.
        outbox = await SqliteOutbox.open(
            data_dir,
            durability=Durability.POWER,
            destinations=dict.fromkeys(known, bounds),
            clock=SystemClock(),
        )
        try:
            return await act(outbox)
        finally:
            await outbox.close()

    with locked(data_dir):
        return asyncio.run(change())


def _event(record: StoredRecord) -> dict[str, Any]:
    """The one event that `record.indexes` names; without what cannot be read of it."""
    said: dict[str, Any] = {"event_id": "", "kind": "", "accepted_time": instant(record.received_ms), "datafile": ""}
    try:
        (event,) = _CODEC.events(record)
        facts = _CODEC.facts(record.facts) if record.facts else None
        text = json_event(event, facts)
    except ValueError:
        return {**said, "event": None}
    return {
        **said,
        "event_id": event.origin.event_id,
        "kind": kind_of(event).value,
        "datafile": event.origin.datafile,
        "event": json.loads(text),
    }
