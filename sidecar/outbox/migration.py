"""Brings an outbox file of an older release to this one's tables: each step in one transaction with its version.

A kill in the middle leaves the file as it was, and the next start begins again. A newer file is refused before this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

STEPS: Final[Mapping[int, Sequence[str]]] = {
    1: ("ALTER TABLE dead_letters ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",),
}
"""By the version that a file has: the statements that make it one newer."""

_VIEWS: Final[Mapping[int, Sequence[str]]] = {
    1: ("CREATE TEMP VIEW dead_letters AS SELECT *, 0 AS attempts FROM main.dead_letters",),
}
"""The same for a file that may only be read: a view of the connection stands in front of the table."""


def migrate(connection: sqlite3.Connection, version: int, wanted: int) -> None:
    """Apply the steps from `version` to `wanted`. Raises `sqlite3.Error`; the file then has the last whole step."""
    for step in range(version, wanted):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in STEPS[step]:
                connection.execute(statement)
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
