"""Finds rows of `records` in the bare pages of an outbox file, where a damaged page above them hides them from SQLite.

A row of `records` never changes and its id is never used again, so any image of one that a page holds is right: a
deleted one lies behind every cursor. That is true of no other table, and no other table is looked for.
Format: https://www.sqlite.org/fileformat2.html, sections 1.5, 1.6, 2.1 and 4.1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from sidecar.outbox.schema import PAGE_BYTES

_LEAF: Final = 0x0D
_LEAF_HEADER_BYTES: Final = 8
_WAL_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_SALTS: Final = slice(8, 16)
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_LOCAL_MAX: Final = PAGE_BYTES - 35
_LOCAL_MIN: Final = (PAGE_BYTES - 12) * 32 // 255 - 23
_COLUMNS: Final = 7
_CONTINUED: Final = 0x80
_FIRST_BLOB: Final = 12
_PAYLOAD_MAX: Final = 64 * 1024 * 1024
"""More than any record: a length beyond it is damage."""


def record_rows(path: Path, is_wanted: Callable[[int], bool]) -> Iterator[tuple[object, ...]]:
    """Seven columns of what looks like a row of `records` with a wanted id, which is first; some more than once.

    `path` is the file; its WAL, if any, stands beside it. Nobody may write it meanwhile. What it gives is not checked.
    """
    with path.open("rb") as file:
        wal = path.with_name(path.name + "-wal")
        if wal.exists():
            with wal.open("rb") as log:
                yield from _Pages(file, log).rows(is_wanted)
        else:
            yield from _Pages(file, None).rows(is_wanted)


class _Pages:
    """The newest committed image of each page."""

    def __init__(self, file: BinaryIO, log: BinaryIO | None) -> None:
        self._file, self._log = file, log
        self._count = file.seek(0, 2) // PAGE_BYTES
        self._frames = _committed_frames(log) if log else {}

    def rows(self, is_wanted: Callable[[int], bool]) -> Iterator[tuple[object, ...]]:
        for number in range(2, max(self._count, *self._frames, 1) + 1):
            page = self._page(number)
            if len(page) < PAGE_BYTES or page[0] != _LEAF:
                continue
            cells = min(int.from_bytes(page[3:5], "big"), PAGE_BYTES // 4)
            pointers = struct.unpack_from(f">{cells}H", page, _LEAF_HEADER_BYTES)
            for pointer in pointers:
                try:
                    row = self._row(page, pointer, is_wanted)
                except (IndexError, ValueError):
                    continue
                if row is not None:
                    yield row

    def _page(self, number: int) -> bytes:
        frame = self._frames.get(number)
        if frame is not None and self._log is not None:
            self._log.seek(frame)
            return self._log.read(PAGE_BYTES)
        self._file.seek((number - 1) * PAGE_BYTES)
        return self._file.read(PAGE_BYTES)

    def _row(self, page: bytes, at: int, is_wanted: Callable[[int], bool]) -> tuple[object, ...] | None:
        """Raises `IndexError`, `ValueError` when it is no row."""
        size, at = _varint(page, at)
        record_id, at = _varint(page, at)
        if not 0 < size <= _PAYLOAD_MAX or not is_wanted(record_id):
            return None
        local = size
        if size > _LOCAL_MAX:
            local = _LOCAL_MIN + (size - _LOCAL_MIN) % (PAGE_BYTES - 4)
            local = local if local <= _LOCAL_MAX else _LOCAL_MIN
        columns = _serial_types(page, at)
        if len(columns) != _COLUMNS or columns[0] != 0:
            return None
        payload = page[at : at + local]
        if local < size:
            payload += self._overflow(int.from_bytes(page[at + local : at + local + 4], "big"), size - local)
        return (record_id, *_values(payload, columns)[1:]) if len(payload) == size else None

    def _overflow(self, number: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and number > 1:
            page = self._page(number)
            number = int.from_bytes(page[:4], "big")
            parts.append(page[4 : 4 + size])
            if not parts[-1]:
                break
            size -= len(parts[-1])
        return b"".join(parts)


def _committed_frames(log: BinaryIO) -> dict[int, int]:
    """Where the newest image of each page stands, up to the last whole transaction of the log."""
    header = log.read(_WAL_HEADER_BYTES)
    committed: dict[int, int] = {}
    if len(header) < _WAL_HEADER_BYTES:
        return committed
    salts, running = header[16:24], {}
    at = _WAL_HEADER_BYTES
    while True:
        log.seek(at)
        frame = log.read(_FRAME_HEADER_BYTES)
        body = log.read(PAGE_BYTES)
        if len(body) < PAGE_BYTES or frame[_SALTS] != salts:
            return committed
        running[int.from_bytes(frame[:4], "big")] = at + _FRAME_HEADER_BYTES
        at += _FRAME_HEADER_BYTES + PAGE_BYTES
        if int.from_bytes(frame[4:8], "big"):
            committed.update(running)
            running.clear()


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        byte = page[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < _CONTINUED:
            return value, at
    return value << 8 | page[at], at + 1


def _serial_types(payload: bytes, start: int) -> list[int]:
    size, at = _varint(payload, start)
    types: list[int] = []
    while at < start + size and len(types) <= _COLUMNS:
        kind, at = _varint(payload, at)
        types.append(kind)
    return types


def _values(payload: bytes, types: list[int]) -> list[object]:
    at, _ = _varint(payload, 0)[0], 0
    values: list[object] = []
    for kind in types:
        if kind == 0:
            values.append(None)
        elif kind in (8, 9):
            values.append(kind - 8)
        elif kind < len(_INTEGER_BYTES):
            values.append(int.from_bytes(payload[at : at + _INTEGER_BYTES[kind]], "big", signed=True))
            at += _INTEGER_BYTES[kind]
        elif kind >= _FIRST_BLOB and kind % 2 == _FIRST_BLOB % 2:
            length = (kind - _FIRST_BLOB) // 2
            values.append(payload[at : at + length])
            at += length
        else:
            raise ValueError("no column of `records` is of this type")
    if at != len(payload):
        raise ValueError("the columns are not as long as the row")
    return values
