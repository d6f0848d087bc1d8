"""Which file is opened: the one that is there, migrated when it is older, salvaged into a fresh one when it is damaged.

A damaged file is never changed or deleted; it is moved aside once its successor is whole. Each step can be killed:
the next start finds either the damaged file, or the whole successor, and goes on from there.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from sidecar.errors import OutboxSchemaNewer, OutboxUnopened, SidecarError
from sidecar.limits import QUICK_CHECK_BYTES_MAX
from sidecar.outbox import salvage_source
from sidecar.outbox.migration import show_as
from sidecar.outbox.salvage import Salvaged, salvage
from sidecar.outbox.schema import FILE_NAME, SCHEMA_VERSION, Durability, connect, prepared, schema_version

_UNBALANCED: Final = """
SELECT destination_id FROM counters GROUP BY destination_id HAVING sum(
    CASE name WHEN 'accepted' THEN value WHEN 'pending_bytes' THEN 0 WHEN 'dead_bytes' THEN 0 ELSE -value END
) <> 0
"""
_DAMAGES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_SUCH: Final = ("no such table", "no such column", "Could not decode", "unsupported file format")
_COMPANIONS: Final = ("-wal", "-shm")


def open_database(directory: Path, durability: Durability, now_ms: int) -> sqlite3.Connection:
    """Open `outbox.db` in a directory, or make it, or migrate it.

    The connection is in autocommit mode and may be used by one thread at a time. Raises `OutboxSchemaNewer`,
    and `sqlite3.Error` or `OSError` when the file can be neither opened nor made, or is damaged: `may_be_damage` tells.
    """
    if durability is Durability.MEMORY:
        return prepared(connect(":memory:"), durability, ":memory:")
    path = directory / FILE_NAME
    _finish_swap(path, now_ms)
    _check_header(path)
    connection = connect(str(path))
    try:
        _check(connection, path)
        return prepared(connection, durability, str(path))
    except BaseException:
        connection.close()
        raise


def may_be_damage(error: Exception) -> bool:
    """Whether an error while a file is taken over speaks of the file, and not of the disk or of another release.

    Out of space or out of permission is no damage: the file is good once that is mended.
    """
    return not isinstance(error, (sqlite3.Error, OSError, SidecarError)) or is_damage(error)


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file itself is wrong, and not that the disk refuses."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _DAMAGES:
        return True
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(_NO_SUCH)
    # Those that this module raises itself have no code.
    return code is None and type(error) is sqlite3.DatabaseError


def is_damaged(connection: sqlite3.Connection) -> bool:
    """Whether a look at every page finds damage; takes about a second for 500 MB."""
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.Error as cause:
        return is_damage(cause)


def replace(path: Path, now_ms: int, cause: object) -> Salvaged:
    """Put a fresh file in the place of a damaged one, with what can be read of it; the damaged one is moved aside.

    Whoever has it open must not use it any more. Raises `OutboxSchemaNewer`, and `sqlite3.Error` or `OSError` when
    there is no room: then the damaged file is still in its place.
    """
    successor = _successor(path)
    _remove(successor)
    try:
        with closing(prepared(connect(str(successor)), Durability.POWER, str(successor))) as fresh:
            # Why without a log: it would take the room of the file once more, and half a successor is thrown away.
            fresh.execute("PRAGMA journal_mode = OFF")
            with salvage_source.damaged_file(path) as source:
                saved = salvage(source.file, fresh, source.version) if source else Salvaged()
            fresh.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        _remove(successor)
        raise
    aside = _set_aside(path, now_ms)
    _finish_swap(path, now_ms)
    log = structlog.get_logger()
    log.error("outbox_set_aside", path=str(path), moved_to=str(aside), cause=str(cause))
    log.warning(
        "outbox_salvaged",
        pending=saved.pending,
        dead=saved.dead,
        lost=saved.lost,
        remembered_ids=saved.ids,
        records_without_facts=saved.without_facts,
        recounted=saved.recounted,
        torn=saved.torn,
    )
    return saved


@contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """The file of a stopped or running process, to look at; raises `OutboxSchemaNewer`, `OutboxUnopened`."""
    try:
        with closing(connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version = schema_version(connection)
            if version > SCHEMA_VERSION:
                raise OutboxSchemaNewer(str(path), version, SCHEMA_VERSION)
            show_as(connection, version or SCHEMA_VERSION, SCHEMA_VERSION)
            yield connection
    except sqlite3.Error as cause:
        raise OutboxUnopened(str(path), str(cause)) from cause


def _check_header(path: Path) -> None:
    """Raises `sqlite3.DatabaseError` for a header that no outbox has; SQLite would take some of them as read-only."""
    wal = path.with_name(path.name + "-wal")
    size = path.stat().st_size if path.exists() else 0
    if size == 0 and not (wal.exists() and wal.stat().st_size):
        return
    problem = salvage_source.header_problem(salvage_source.read_header(path) if path.exists() else b"")
    if problem:
        raise sqlite3.DatabaseError(problem)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `sqlite3.DatabaseError` when the file is damaged as far as a quick look can tell."""
    if path.stat().st_size > QUICK_CHECK_BYTES_MAX:
        connection.execute("PRAGMA schema_version").fetchone()
    else:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    if schema_version(connection) and (unbalanced := connection.execute(_UNBALANCED).fetchone()):
        raise sqlite3.DatabaseError(f"the counts of destination {unbalanced[0]} do not add up")


def _set_aside(path: Path, now_ms: int) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{now_ms}")
    if path.exists():
        path.rename(aside)
    return aside


def _finish_swap(path: Path, now_ms: int) -> None:
    """Put a whole successor in its place; a file that is there still means that it is not whole."""
    successor = _successor(path)
    if path.exists() or not successor.exists():
        return
    # Why first: SQLite would take the WAL of the damaged file for that of its successor.
    for suffix in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(f"{path.name}.damaged-{now_ms}{suffix}"))
    successor.rename(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _successor(path: Path) -> Path:
    return path.with_name(path.name + ".salvaged")


def _remove(path: Path) -> None:
    for suffix in ("", *_COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
