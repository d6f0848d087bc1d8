"""Reads a damaged outbox file as far as it goes, table by table and around what cannot be read. Changes nothing.

A range of ids is read from its low end and, where that meets a damaged page, from its high end; what lies between is
halved until the damaged pages stand alone. Rows are as the file has them: `salvage` judges them.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sidecar.outbox.salvage_pages import record_rows
from sidecar.outbox.schema import SCHEMA_VERSION

PROBES_MAX: Final = 10_000
"""Failed looks into one table: a second or so. Rows of `records` beyond are found in the bare pages."""
_ID_MAX: Final = 2**40
_SEQUENCED: Final = {"destinations", "facts", "records", "dead_letters"}

Row = tuple[object, ...]


class DamagedFile:
    """The tables of a file that may fail anywhere, over a connection that reads it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.torn: set[str] = set()
        """Tables that could not be read from end to end."""
        self._gaps: list[tuple[int, int]] = []
        """Ranges of ids of `records` that could not be read, both ends included."""

    def destinations(self) -> Iterator[Row]:
        """`destination_id, name`, from the table and from its index on names, which holds both too."""
        yield from self._rows("destinations", "destination_id", "destination_id, name")
        index = "SELECT destination_id, name FROM destinations INDEXED BY sqlite_autoindex_destinations_1 ORDER BY name"
        yield from self._tried(index)

    def cursors(self) -> Iterator[Row]:
        """`destination_id, record_id, event_index`."""
        yield from self._rows("cursors", "destination_id", "destination_id, record_id, event_index")

    def counters(self, destination_id: int) -> Iterator[Row]:
        """`name, reason, value` of one destination, each perhaps twice."""
        select = "SELECT name, reason, value FROM counters WHERE destination_id = ? ORDER BY name, reason"
        yield from self._tried(select, destination_id)
        if "counters" in self.torn:
            yield from self._tried(
                "SELECT name, reason, value FROM counters WHERE destination_id = ? ORDER BY name DESC, reason DESC",
                destination_id,
            )

    def facts(self) -> Iterator[Row]:
        """`facts_id, key, body`."""
        yield from self._rows("facts", "facts_id", "facts_id, key, body")

    def records(self) -> Iterator[Row]:
        """All columns, ids first; a row may come twice."""
        columns = "record_id, facts_id, received_ms, requeued_ms, event_count, routes, body"
        yield from self._rows("records", "record_id", columns)
        if "records" in self.torn:
            yield from record_rows(self._path, self._is_missing())

    def dead_letters(self, version: int) -> Iterator[Row]:
        """All columns, ids first; `version` is the file's, as older ones have no `attempts`."""
        attempts = "attempts" if version >= SCHEMA_VERSION else "0"
        yield from self._rows(
            "dead_letters",
            "dead_id",
            f"dead_id, destination_id, record_id, event_index, reason, detail, status, bytes, died_ms, {attempts}",
        )

    def remembered_ids(self) -> Iterator[Row]:
        """`seen_id`, digest or joined digests, `seen_ms, outcomes`: the younger ones, in version 1 all."""
        yield from self._rows("remembered_ids", "seen_id", "*")

    def remembered_generations(self, version: int) -> Iterator[Row]:
        """`generation_id, youngest_ms, digests, codes, outcomes`; `version` is the file's, as older ones have none."""
        if version >= SCHEMA_VERSION:
            columns = "generation_id, youngest_ms, digests, codes, outcomes"
            yield from self._rows("remembered_generations", "generation_id", columns)

    def sequence(self, table: str) -> int:
        """The highest id that a table ever had, 0 when that cannot be read."""
        for (value,) in self._tried("SELECT seq FROM sqlite_sequence WHERE name = ?", table):
            if isinstance(value, int) and 0 <= value < _ID_MAX:
                return value
        return 0

    def _is_missing(self) -> Callable[[int], bool]:
        starts = [low for low, _ in self._gaps]

        def is_missing(record_id: int) -> bool:
            at = bisect_right(starts, record_id) - 1
            return at >= 0 and record_id <= self._gaps[at][1]

        return is_missing

    def _tried(self, select: str, *parameters: object) -> Iterator[Row]:
        """The rows of a statement up to the one that fails."""
        try:
            yield from self._connection.execute(select, parameters)
        except sqlite3.Error:
            self.torn.add(select.partition(" FROM ")[2].partition(" ")[0])

    def _rows(self, table: str, key: str, columns: str) -> Iterator[Row]:
        head = f"SELECT {columns} FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key}"  # noqa: S608 - names of ours
        ranges = [(1, self._highest(table, key))]
        failed = 0
        gaps: list[tuple[int, int]] = []
        while ranges and failed < PROBES_MAX:
            low, high = ranges.pop()
            for direction in ("ASC", "DESC"):
                last: int | None = None
                try:
                    for row in self._connection.execute(f"{head} {direction}", (low, high)):
                        last = int(row[0])
                        yield row
                    break
                except (sqlite3.Error, ValueError, TypeError):
                    failed += 1
                    self.torn.add(table)
                if last is not None and direction == "ASC":
                    low = last + 1
                elif last is not None:
                    high = last - 1
            else:
                middle = (low + high) // 2
                if low < high:
                    ranges += [(middle + 1, high), (low, middle)]
                elif low == high:
                    gaps.append((low, high))
        if table == "records":
            self._gaps = sorted(gaps + ranges)

    def _highest(self, table: str, key: str) -> int:
        sequence = self.sequence(table) if table in _SEQUENCED else 0
        for (value,) in self._tried(f"SELECT max({key}) FROM {table}"):  # noqa: S608 - names of ours
            if isinstance(value, int):
                return max(min(value, _ID_MAX), sequence)
        return sequence or _ID_MAX
