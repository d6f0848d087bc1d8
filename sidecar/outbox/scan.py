"""Reads rows of `records` for one destination, many with one statement.

Why concatenated: sqlite3 gives up the GIL and takes it again for each row; a batch of 2,500 rows fetched one
by one waits 2,500 times for a busy event loop. So a SELECT returns one row with columns joined. Changes
nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sidecar.limits import READ_BYTES_MAX
from sidecar.outbox.ledger import Account
from sidecar.outbox.rows import Target, event_bytes, indexes_of, unpack_routes
from sidecar.ports import Cursor

_STEP_ROWS = 512

_HEADERS = """
SELECT group_concat(record_id), group_concat(facts_id), group_concat(received_ms), group_concat(queued_ms),
    group_concat(event_count), group_concat(size), group_concat(routes)
FROM (
    SELECT record_id, facts_id, received_ms, COALESCE(requeued_ms, received_ms) AS queued_ms, event_count,
        length(body) AS size, hex(routes) AS routes
    FROM records WHERE {} ORDER BY record_id LIMIT ?
)
"""
_HEADERS_OF_DESTINATION = _HEADERS.format("record_id BETWEEN ? AND ? AND instr(routes, ?)")
_HEADERS_BY_ID = _HEADERS.format("record_id IN (SELECT value FROM json_each(?))")
# The blobs go through text unchanged: SQLite only relabels the bytes, and the CAST relabels them back.
_BODIES = """
SELECT CAST(group_concat(body, '') AS BLOB)
FROM (SELECT body FROM records WHERE record_id IN (SELECT value FROM json_each(?)) ORDER BY record_id)
"""


class Header(NamedTuple):
    """A record without its body; `queued_ms` is when it was queued last: age is counted from it."""

    record_id: int
    facts_id: int
    received_ms: int
    queued_ms: int
    event_count: int
    size: int
    targets: tuple[Target, ...]

    @property
    def event_bytes(self) -> int:
        """The stored size of each of its events."""
        return event_bytes(self.size, self.event_count)

    def indexes(self, destination_id: int, after: Cursor) -> tuple[int, ...]:
        """The events that a destination has pending, behind none of them the cursor."""
        for target in self.targets:
            if target.destination_id == destination_id:
                indexes = indexes_of(target.mask)
                if self.record_id > after.record_id:
                    return indexes
                return tuple(index for index in indexes if index > after.event_index)
        return ()


def _headers(row: Sequence[str | None]) -> list[Header]:
    if row[0] is None:
        return []
    columns = [str(column).split(",") for column in row]
    integers = [map(int, column) for column in columns[:6]]
    return [Header(*fields) for fields in zip(*integers, map(unpack_routes, columns[6]), strict=True)]


class Scan:
    """The queries, over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def headers_by_id(self, record_ids: Sequence[int]) -> list[Header]:
        """Those of these records that exist, ascending."""
        return _headers(self._connection.execute(_HEADERS_BY_ID, (json.dumps(record_ids), -1)).fetchone())

    def pending(
        self, account: Account, after: Cursor, through: int | None = None, step_rows: int = _STEP_ROWS
    ) -> Iterator[tuple[Header, tuple[int, ...]]]:
        """Records with the indexes that the destination has pending after a cursor, oldest first.

        `through` is the last record id to look at, None = to the end. Nothing may be written until it is
        exhausted or dropped, but for the records that it already gave.
        """
        first = after.record_id
        last = 2**62 if through is None else through
        while account.pending and first <= last:
            parameters = (first, last, account.packed_id, step_rows)
            headers = _headers(self._connection.execute(_HEADERS_OF_DESTINATION, parameters).fetchone())
            for header in headers:
                indexes = header.indexes(account.destination_id, after)
                if indexes:
                    yield header, indexes
            if len(headers) < step_rows:
                return
            first = headers[-1].record_id + 1

    def oldest(self, account: Account) -> Header | None:
        """The record of the destination's oldest pending event."""
        for header, _ in self.pending(account, account.cursor, step_rows=16):
            return header
        return None

    def batch(self, account: Account, after: Cursor, events_max: int) -> list[tuple[Header, tuple[int, ...]]]:
        """The oldest pending events after a cursor: at most that many, `READ_BYTES_MAX` of bodies."""
        batch: list[tuple[Header, tuple[int, ...]]] = []
        events_left, bytes_left = events_max, READ_BYTES_MAX
        for header, indexes in self.pending(account, after, step_rows=max(1, min(events_max, _STEP_ROWS))):
            if events_left <= 0 or (batch and header.size > bytes_left):
                break
            batch.append((header, indexes[:events_left]))
            events_left -= len(indexes)
            bytes_left -= header.size
        return batch

    def bodies(self, headers: Sequence[Header]) -> Iterator[bytes]:
        """The bodies of these records; ascending by id, and all there."""
        record_ids = json.dumps([header.record_id for header in headers])
        joined = self._connection.execute(_BODIES, (record_ids,)).fetchone()[0] or b""
        start = 0
        for header in headers:
            yield joined[start : start + header.size]
            start += header.size
