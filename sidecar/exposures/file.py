"""The sketch on disk: one file, replaced as a whole. All functions block: call them off the event loop.

Layout: one line of JSON (`Header`), the fingerprints, the steps, and the CRC-32 of all that as four bytes, big-endian.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sidecar.exposures.sketch import SLOT_BYTES, WAYS
from sidecar.limits import EXPOSURES_BYTES_MOST, KIB

FORMAT: Final = "sidecar exposures 1"
_CRC_BYTES: Final = 4
_FILE_BYTES_MAX: Final = EXPOSURES_BYTES_MOST + 4 * KIB


class SketchDamaged(Exception):
    """The file is no sketch that this release wrote whole. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the bytes of a saved sketch mean.

    `step` is the sketch's, and began `step_age_s` before `saved_ms`, milliseconds since 1970 UTC; `byte_order` is that
    of the fingerprints.
    """

    bucket_count: int
    step_s: float
    step: int
    step_age_s: float
    saved_ms: int
    byte_order: str = sys.byteorder
    format: str = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A sketch as it was: what `Sketch.restore` wants."""

    header: Header
    fingerprints: bytes
    steps: bytes


def write(path: Path, saved: Saved) -> None:
    """Replace the file; whole or not at all, and durable on return. Raises `OSError`."""
    line = json.dumps(asdict(saved.header)).encode() + b"\n"
    crc = zlib.crc32(saved.steps, zlib.crc32(saved.fingerprints, zlib.crc32(line)))
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.writelines((line, saved.fingerprints, saved.steps, crc.to_bytes(_CRC_BYTES)))
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read(path: Path) -> Saved | None:
    """The sketch of a file, None when there is none. Raises `SketchDamaged`, and `OSError` when it cannot be read."""
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        return None
    if size_bytes > _FILE_BYTES_MAX:
        raise SketchDamaged(f"it has {size_bytes} bytes, wanted at most {_FILE_BYTES_MAX}")
    whole = path.read_bytes()
    body, crc = whole[:-_CRC_BYTES], whole[-_CRC_BYTES:]
    if zlib.crc32(body) != int.from_bytes(crc):
        raise SketchDamaged("its check sum does not fit its bytes")
    line, _, table = body.partition(b"\n")
    header = _header(line)
    slots = WAYS * header.bucket_count
    if len(table) != SLOT_BYTES * slots:
        raise SketchDamaged(f"it holds {len(table)} bytes of slots, wanted {SLOT_BYTES * slots}")
    return Saved(header=header, fingerprints=table[: 2 * slots], steps=table[2 * slots :])


def set_aside(path: Path) -> Path:
    """Move a damaged file out of the way, over one that was set aside before; returns where it is now."""
    aside = path.with_name(path.name + ".damaged")
    path.replace(aside)
    return aside


def _header(line: bytes) -> Header:
    try:
        header = Header(**json.loads(line))
    except (ValueError, TypeError) as unreadable:
        raise SketchDamaged(f"its first line cannot be read: {unreadable}") from unreadable
    if header.format != FORMAT or header.byte_order != sys.byteorder:
        got = f"`{header.format}`, {header.byte_order}-endian"
        raise SketchDamaged(f"it is {got}, wanted `{FORMAT}`, {sys.byteorder}-endian")
    return header
