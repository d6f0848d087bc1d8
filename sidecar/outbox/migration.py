"""Brings an outbox file of an older release to this one's tables: each step in one transaction with its version.

A kill in the middle leaves the file as it was, and the next start begins again. A newer file is refused before this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import structlog

from sidecar.outbox.remembered import RememberedIds, Seen, carry_over
from sidecar.outbox.remembered_rows import readable_outcomes
from sidecar.outbox.rows import spread

Step: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""A statement, or what more than a statement does, in the same transaction."""


def _carry_ids_over(connection: sqlite3.Connection) -> None:
    """The remembered ids of version 1, a row each: those whose outcomes can be read."""
    remembered = RememberedIds(connection)
    carry_over(_ids_of_version_1(connection), remembered)


def _ids_of_version_1(connection: sqlite3.Connection) -> Iterator[Seen]:
    # Why in pieces: statements that write are run between them.
    last, select = 0, "SELECT * FROM former_ids WHERE seen_id > ? ORDER BY seen_id LIMIT 1000"
    while rows := connection.execute(select, (last,)).fetchall():
        last = rows[-1][0]
        for _, digest, seen_ms, packed in rows:
            outcomes = readable_outcomes(packed)
            if outcomes is not None:
                yield seen_ms, spread(digest), outcomes


STEPS: Final[Mapping[int, Sequence[Step]]] = {
    1: (
        "ALTER TABLE dead_letters ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
        # The order leaves the tables where a new file has them, which `salvage_source` relies on.
        "ALTER TABLE remembered_ids RENAME TO former_ids",
        """CREATE TABLE remembered_ids (
            seen_id INTEGER PRIMARY KEY, digests BLOB NOT NULL, seen_ms INTEGER NOT NULL, outcomes TEXT NOT NULL
        )""",
        """CREATE TABLE remembered_generations (
            generation_id INTEGER PRIMARY KEY,
            youngest_ms INTEGER NOT NULL,
            digests BLOB NOT NULL,
            codes BLOB NOT NULL,
            outcomes TEXT NOT NULL
        )""",
        _carry_ids_over,
        "DROP TABLE former_ids",
    ),
}
"""By the version that a file has: what makes it one newer."""

_VIEWS: Final[Mapping[int, Sequence[str]]] = {
    1: ("CREATE TEMP VIEW dead_letters AS SELECT *, 0 AS attempts FROM main.dead_letters",),
}
"""The same for a file that may only be read: a view of the connection stands in front of the table. Nobody who only
reads asks for remembered ids."""


def migrate(connection: sqlite3.Connection, version: int, wanted: int) -> None:
    """Apply the steps from `version` to `wanted`. Raises `sqlite3.Error`; the file then has the last whole step."""
    for step in range(version, wanted):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for change in STEPS[step]:
                if isinstance(change, str):
                    connection.execute(change)
                else:
                    change(connection)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (step + 1,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        structlog.get_logger().info("outbox_migrated", from_version=step, to_version=step + 1)


def show_as(connection: sqlite3.Connection, version: int, wanted: int) -> None:
    """Let a reading connection see the tables of an older file as this release has them. Changes no file."""
    for step in range(version, wanted):
        for statement in _VIEWS[step]:
            connection.execute(statement)
