"""A file of lines that rotates by size and never keeps half a line. Blocking; used by `file` from a thread."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import structlog

_TAIL_BLOCK_BYTES: Final = 64 * 1024


class RotatingLines:
    """One open file at the end of which whole batches of lines go. Blocking; any thread, one at a time."""

    def __init__(self, path: Path, *, bytes_max: int, files_max: int, fsync: bool) -> None:
        self.path = path
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._fsync = fsync
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
            if self._size and self._size + len(lines) > self._bytes_max:
                self._rotate()
                self._open()
            assert self._file is not None, "opened above"
            try:
                _write_all(self._file, lines)
                if self._fsync:
                    os.fdatasync(self._file)
            except OSError:
                self._give_back(self._file)
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
        if self._fsync:
            _sync_directory(self.path.parent)

    def _give_back(self, file: int) -> None:
        """Take back what a full disk took of a write, so that no line is torn while we wait."""
        try:
            os.ftruncate(file, self._size)
        except OSError:
            # What is torn now is cut away when the file is opened again, before the next batch.
            self._close()

    def _rotate(self) -> None:
        self._close()
        oldest = self._files_max - 1
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
