"""Rows of `dead_letters`: written, read and deleted. Who dies, and what that counts as, is `queue`'s."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from sidecar.outbox.rows import ROWS_PER_STATEMENT, chunks, values_sql

_COLUMNS = "dead_id, record_id, event_index, reason, detail, status, bytes, died_ms, attempts"


class DeadRow(NamedTuple):
    """One row of one destination."""

    dead_id: int
    record_id: int
    event_index: int
    reason: str
    detail: str
    status: int
    bytes: int
    died_ms: int
    attempts: int


class DeadRows:
    """The queries, over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, destination_id: int, rows: Sequence[DeadRow]) -> None:
        """Write rows in order; their `dead_id` is not looked at, the table gives the next."""
        head = (
            "INSERT INTO dead_letters"
            " (destination_id, record_id, event_index, reason, detail, status, bytes, died_ms, attempts)"
        )
        for chunk in chunks(rows, ROWS_PER_STATEMENT):
            parameters: list[object] = []
            for row in chunk:
                parameters += (destination_id, *row[1:])
            self._connection.execute(values_sql(head, 9, len(chunk)), parameters)

    def after(self, destination_id: int, dead_id: int, limit: int) -> list[DeadRow]:
        """The oldest rows of a destination after an id."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM dead_letters"  # noqa: S608 - a constant of this module
            " WHERE destination_id = ? AND dead_id > ? ORDER BY dead_id LIMIT ?",
            (destination_id, dead_id, limit),
        )
        return [DeadRow(*row) for row in rows]

    def named(self, destination_id: int, dead_ids: Sequence[int]) -> list[DeadRow]:
        """Those of these rows that the destination has, oldest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM dead_letters"  # noqa: S608 - a constant of this module
            " WHERE destination_id = ? AND dead_id IN (SELECT value FROM json_each(?)) ORDER BY dead_id",
            (destination_id, json.dumps(list(dead_ids))),
        )
        return [DeadRow(*row) for row in rows]

    def delete(self, rows: Sequence[DeadRow]) -> None:
        """Delete rows by id."""
        self._connection.execute(
            "DELETE FROM dead_letters WHERE dead_id IN (SELECT value FROM json_each(?))",
            (json.dumps([row.dead_id for row in rows]),),
        )

    def referenced(self, record_ids: Sequence[int]) -> set[int]:
        """Those of these records that a dead letter still needs."""
        joined = self._connection.execute(
            "SELECT group_concat(DISTINCT record_id) FROM dead_letters"
            " WHERE record_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(record_ids)),),
        ).fetchone()[0]
        return set(map(int, joined.split(","))) if joined else set()
