"""The outbox file: its tables, how durable a commit is, and how the file is opened, checked and set aside.

Why these tables: docs/decisions/0010-outbox.md. Nothing here reads or writes a row of the queue.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from sidecar.errors import OutboxSchemaNewer, OutboxUnopened
from sidecar.limits import QUICK_CHECK_BYTES_MAX

FILE_NAME: Final = "outbox.db"
SCHEMA_VERSION: Final = 1

_PAGE_BYTES: Final = 4096
_CACHE_KIB: Final = 1024
_JOURNAL_BYTES_MAX: Final = 8 * 1024 * 1024
_STATEMENTS_KEPT: Final = 256


class Durability(StrEnum):
    """What accepted events survive."""

    MEMORY = "memory"
    """Nothing: they are gone with the process."""
    PROCESS = "process"
    """The death of the process, also by kill -9; not a crash of the machine."""
    POWER = "power"
    """A crash of the machine too: a commit returns after its fsync."""


_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

CREATE TABLE destinations (destination_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);

-- `records` counts the rows that name these facts; a row without any is deleted in time.
CREATE TABLE facts (
    facts_id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    records INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- AUTOINCREMENT: an id is never used again, else cursors would be ahead of records once the queue ran empty.
-- `body` is last, so that a scan of the other columns touches no overflow page. facts_id 0 = none.
CREATE TABLE records (
    record_id INTEGER PRIMARY KEY AUTOINCREMENT,
    facts_id INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    requeued_ms INTEGER,
    event_count INTEGER NOT NULL,
    routes BLOB NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE cursors (
    destination_id INTEGER PRIMARY KEY, record_id INTEGER NOT NULL, event_index INTEGER NOT NULL
);

CREATE TABLE counters (
    destination_id INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (destination_id, name, reason)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    dead_id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    event_index INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    status INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    died_ms INTEGER NOT NULL
);
CREATE INDEX dead_letters_of_destination ON dead_letters (destination_id, dead_id);
CREATE INDEX dead_letters_of_record ON dead_letters (record_id);

-- In the order of being seen, which is the order of being forgotten; `digest` is of the caller's id.
CREATE TABLE remembered_ids (
    seen_id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, seen_ms INTEGER NOT NULL, outcomes TEXT NOT NULL
);
"""


def open_database(directory: Path, durability: Durability, now_ms: int) -> sqlite3.Connection:
    """Open `outbox.db` in a directory, or make it; a damaged one is set aside and a fresh one made.

    The connection is in autocommit mode and may be used by one thread at a time. Raises `OutboxSchemaNewer`,
    and `sqlite3.Error` or `OSError` when the file can be neither opened nor made.
    """
    if durability is Durability.MEMORY:
        return _prepared(_connect(":memory:"), durability, ":memory:")
    path = directory / FILE_NAME
    try:
        return _opened(path, durability)
    except sqlite3.DatabaseError as cause:
        if isinstance(cause, sqlite3.OperationalError):
            # Why: out of space or out of permission is no damage; the file is good once that is mended.
            raise
        aside = _set_aside(path, now_ms)
        structlog.get_logger().error("outbox_set_aside", path=str(path), moved_to=str(aside), cause=str(cause))
        return _opened(path, durability)


def _opened(path: Path, durability: Durability) -> sqlite3.Connection:
    connection = _connect(str(path))
    try:
        _check(connection, path)
        return _prepared(connection, durability, str(path))
    except BaseException:
        connection.close()
        raise


def _connect(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `sqlite3.DatabaseError` when the file is damaged as far as a quick look can tell."""
    if path.stat().st_size > QUICK_CHECK_BYTES_MAX:
        connection.execute("PRAGMA schema_version").fetchone()
        return
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _prepared(connection: sqlite3.Connection, durability: Durability, path: str) -> sqlite3.Connection:
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    version = schema_version(connection)
    if version > SCHEMA_VERSION:
        raise OutboxSchemaNewer(path, version, SCHEMA_VERSION)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability is Durability.POWER else 'NORMAL'}")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES_MAX}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if version == 0:
        connection.executescript(f"BEGIN; {_TABLES}")
        connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", (SCHEMA_VERSION,))
        connection.execute("COMMIT")
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """The version that the file was made with, 0 when it has no tables yet.

    Raises `sqlite3.DatabaseError` when the file holds other tables than an outbox's.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if "meta" not in tables:
        raise sqlite3.DatabaseError(f"tables are {sorted(tables)}, wanted `meta` among them")
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("`meta` has no schema_version")
    return int(row[0])


def _set_aside(path: Path, now_ms: int) -> Path:
    """Move a damaged file with its WAL out of the way; what can be read of it may be salvaged from there."""
    aside = path.with_name(f"{path.name}.damaged-{now_ms}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """The file of a stopped or running process, to look at; raises `OutboxSchemaNewer`, `OutboxUnopened`."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version = schema_version(connection)
            if version > SCHEMA_VERSION:
                raise OutboxSchemaNewer(str(path), version, SCHEMA_VERSION)
            yield connection
    except sqlite3.Error as cause:
        raise OutboxUnopened(str(path), str(cause)) from cause
