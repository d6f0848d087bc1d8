"""The outbox file: its tables, how durable a commit is, and how a connection is made ready.

Why these tables: docs/decisions/0010-outbox.md. Which file is opened, checked or set aside is `opening`'s business.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from typing import Final

from sidecar.errors import OutboxSchemaNewer
from sidecar.outbox.migration import migrate

FILE_NAME: Final = "outbox.db"
SCHEMA_VERSION: Final = 2

PAGE_BYTES: Final = 4096
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
    died_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX dead_letters_of_destination ON dead_letters (destination_id, dead_id);
CREATE INDEX dead_letters_of_record ON dead_letters (record_id);

-- The young ones, in the order of being seen: `digests` of the ids of one commit that share their outcomes.
CREATE TABLE remembered_ids (
    seen_id INTEGER PRIMARY KEY, digests BLOB NOT NULL, seen_ms INTEGER NOT NULL, outcomes TEXT NOT NULL
);

-- The others, sealed: never changed, forgotten as a whole. Columns: `remembered_rows.Sealed`.
CREATE TABLE remembered_generations (
    generation_id INTEGER PRIMARY KEY,
    youngest_ms INTEGER NOT NULL,
    digests BLOB NOT NULL,
    codes BLOB NOT NULL,
    outcomes TEXT NOT NULL
);
"""


def connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that one thread at a time may use."""
    return sqlite3.connect(
        database, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT, uri=uri
    )


def prepared(connection: sqlite3.Connection, durability: Durability, path: str) -> sqlite3.Connection:
    """The same connection, its file with this release's tables: made when there are none, migrated when older.

    Raises `OutboxSchemaNewer`, and `sqlite3.Error` when the file cannot be written or holds something else.
    """
    version = schema_version(connection)
    if version > SCHEMA_VERSION:
        raise OutboxSchemaNewer(path, version, SCHEMA_VERSION)
    if version == 0:
        # Why only now: on a file that has tables even the same value is written.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability is Durability.POWER else 'NORMAL'}")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES_MAX}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if version == 0:
        connection.executescript(f"BEGIN; {_TABLES}")
        connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", (SCHEMA_VERSION,))
        connection.execute("COMMIT")
    else:
        migrate(connection, version, SCHEMA_VERSION)
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
