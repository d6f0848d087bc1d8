"""Events as JSON lines in a file that rotates by size: `events.jsonl`, `events.jsonl.1` …, the newest first.

A batch is one write, and (`fsync`) on the disk before it counts as delivered. No file ever keeps half a line:
what a kill tore off is cut away when the file is opened, which loses nothing, since its batch was not
delivered and comes again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sidecar.destinations.endpoint import check_events_max
from sidecar.destinations.lines import RotatingLines
from sidecar.destinations.plain import PlainDestination
from sidecar.limits import IMPORT_BYTES_MAX, MIB
from sidecar.ports import Answer, Batch, BatchLimits
from sidecar.retry import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """The section of a destination of type `file`."""

    path: Path
    """The file to append to; its directory must exist. No other process may write to it."""
    file_bytes_max: int = 100 * MIB
    """Size at which the file is rotated, between two batches. A larger batch gets a file of its own."""
    files_max: int = 10
    """Files kept in all, the current one included, 1 or more; the oldest is deleted."""
    fsync: bool = True
    """Whether a batch is flushed to the disk before it counts as delivered. Off survives a crash of the
    process, not of the machine."""
    batch_events_max: int = 1_000
    """Events written at once, 1 or more."""
    batch_age_max_s: float = 0.2
    """How long an event may wait for company."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a bound of nothing."""
        check_events_max(self.batch_events_max)
        if self.files_max < 1:
            raise ValueError("files_max is 0, wanted 1 or more")


class FileDestination(PlainDestination):
    """Every kind, as our JSON event, one a line."""

    def __init__(self, name: str, config: FileConfig) -> None:
        limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=IMPORT_BYTES_MAX,
            event_bytes_max=IMPORT_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        super().__init__(name, limits, envelope=len("\n"))
        self._lines = RotatingLines(
            config.path, bytes_max=config.file_bytes_max, files_max=config.files_max, fsync=config.fsync
        )

    async def send(self, batch: Batch) -> Answer:
        """Append the lines in a thread, since a disk can stall. Whatever it refuses is tried again."""
        try:
            await asyncio.to_thread(self._lines.append, b"\n".join(batch.rendered) + b"\n")
        except OSError as error:
            return Answer(Verdict.RETRY, f"cannot write `{self._lines.path}`: {error.strerror or error}")
        return Answer(Verdict.DELIVERED)

    async def close(self) -> None:
        """Wait for a write that is under way and close the file. Idempotent."""
        await asyncio.to_thread(self._lines.close)
