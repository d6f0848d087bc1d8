"""Events as JSON lines in a file that rotates by size: `events.jsonl`, `events.jsonl.1` …, the newest first.

A batch is one write, and (`fsync`) on the disk before it counts as delivered. No file ever keeps half a line:
what a kill tore off is cut away when the file is opened, which loses nothing, since its batch was not
delivered and comes again.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from sidecar.destinations.outcomes import INTEGRATIONS, queued, skipped
from sidecar.errors import Violation
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.events.plain import json_event
from sidecar.events.wire import switched_off
from sidecar.limits import IMPORT_BYTES_MAX, MIB
from sidecar.ports import Answer, Batch, BatchLimits
from sidecar.retry import Verdict
from sidecar.values import Outcome

_TAIL_BLOCK_BYTES: Final = 64 * 1024


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


class FileDestination:
    """Every kind, as our JSON event, one a line."""

    def __init__(self, name: str, config: FileConfig) -> None:
        self.name = name
        self.limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=IMPORT_BYTES_MAX,
            event_bytes_max=IMPORT_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        self._lines = RotatingLines(config)

    def takes(self, kind: EventKind) -> bool:
        """True: every kind."""
        return True

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        """Nothing: the event goes as it came."""
        return ()

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        """Queued unless the event's `integrations` say otherwise."""
        if switched_off(event.origin, self.name, by_all=True):
            return skipped(self.name, INTEGRATIONS)
        return queued(self.name)

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """One for all."""
        return None

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """The last line's end."""
        return 1

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """Our JSON event."""
        return json_event(event, facts)

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


class RotatingLines:
    """One open file at the end of which whole batches of lines go. Blocking; any thread, one at a time."""

    def __init__(self, config: FileConfig) -> None:
        self.path = config.path
        self._config = config
        self._file: int | None = None
        self._size = 0
        # Why: a cancelled send leaves its thread writing, and the next one or `close` must not meet it.
        self._lock = threading.Lock()
        # Such a thread may come for the lock after `close`: it must not open the file again.
        self._closed = False
        self._log = structlog.get_logger()

    def append(self, lines: bytes) -> None:
        """Write whole lines, all of them or none, and flush them as configured. Raises `OSError`."""
        with self._lock:
            if self._closed:
                raise OSError("file is closed")
            self._open()
            if self._size and self._size + len(lines) > self._config.file_bytes_max:
                self._rotate()
                self._open()
            assert self._file is not None, "opened above"
            try:
                _write_all(self._file, lines)
                if self._config.fsync:
                    os.fdatasync(self._file)
            except OSError:
                # A full disk takes part of a write: give the part back, so that no line is torn while we
                # wait.
                os.ftruncate(self._file, self._size)
                raise
            self._size += len(lines)

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._closed = True
            self._close()

    def _open(self) -> None:
        """Have the file open that `path` names now: it may have been moved or deleted under us."""
        if self._file is not None:
            if _same_file(self.path, self._file):
                return
            self._close()
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        torn = _cut_torn_tail(self._file)
        self._size = os.fstat(self._file).st_size
        if torn:
            self._log.warning("file_tail_repaired", path=str(self.path), cut_bytes=torn)
        if self._config.fsync:
            _sync_directory(self.path.parent)

    def _rotate(self) -> None:
        self._close()
        oldest = self._config.files_max - 1
        if oldest <= 0:
            self.path.unlink()
            return
        for number in range(oldest - 1, 0, -1):
            kept = _numbered(self.path, number)
            if kept.exists():
                kept.replace(_numbered(self.path, number + 1))
        self.path.replace(_numbered(self.path, 1))

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _write_all(file: int, lines: bytes) -> None:
    view = memoryview(lines)
    while view:
        view = view[os.write(file, view) :]


def _cut_torn_tail(file: int) -> int:
    """Cut what stands after the last line end; returns how many bytes that was."""
    size = end = os.fstat(file).st_size
    while end:
        start = max(0, end - _TAIL_BLOCK_BYTES)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
    return size - end


def _same_file(path: Path, file: int) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(file)
    return (named.st_ino, named.st_dev) == (opened.st_ino, opened.st_dev)


def _sync_directory(directory: Path) -> None:
    """Make a new name in a directory durable: fsync of the file does not."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
