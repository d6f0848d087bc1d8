"""The ids that callers chose, remembered so that a repeat is answered and not queued again.

At most `REMEMBERED_IDS_MAX` of them, for `REMEMBERED_IDS_AGE_S`; the oldest go first, a few with each commit.
The bounds of the table are mirrored in memory and loaded again after a transaction failed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from operator import itemgetter

from sidecar.limits import REMEMBERED_IDS_AGE_S, REMEMBERED_IDS_MAX, REMEMBERED_IDS_PRUNED
from sidecar.outbox.rows import ROWS_PER_STATEMENT, chunks, in_sql, pack_outcomes, unpack_outcomes, values_sql
from sidecar.values import Outcome


class RememberedIds:
    """Digests of ids in the order in which they were seen; `seen_id` has no gaps."""

    def __init__(self, connection: sqlite3.Connection, ids_max: int = REMEMBERED_IDS_MAX) -> None:
        self._connection = connection
        self._ids_max = ids_max
        self._oldest = self._next = 1
        self._oldest_seen_ms = 0

    def load(self) -> None:
        """Read the bounds of the table."""
        row = self._connection.execute("SELECT MIN(seen_id), MAX(seen_id) FROM remembered_ids").fetchone()
        self._oldest, self._next = (row[0], row[1] + 1) if row[0] is not None else (1, 1)
        self._note_oldest()

    def known(self, digests: Sequence[bytes]) -> dict[bytes, tuple[Outcome, ...]]:
        """The outcomes of those that were seen before."""
        found: dict[bytes, tuple[Outcome, ...]] = {}
        for chunk in chunks(sorted(digests), ROWS_PER_STATEMENT):
            sql = in_sql("SELECT digest, outcomes FROM remembered_ids WHERE digest", len(chunk))
            for digest, outcomes in self._connection.execute(sql, chunk):
                found[digest] = unpack_outcomes(outcomes)
        return found

    def remember(self, ids: Mapping[bytes, tuple[Outcome, ...]], now_ms: int) -> None:
        """Write ids that `known` did not find."""
        if not ids:
            return
        if self._oldest == self._next:
            self._oldest_seen_ms = now_ms
        # Why by identity: the events of an import share few outcomes, and hashing them costs more than their insert.
        shared = {id(outcomes): outcomes for outcomes in ids.values()}
        packed = {identity: pack_outcomes(outcomes) for identity, outcomes in shared.items()}
        rows = [
            (seen_id, digest, now_ms, packed[id(outcomes)])
            for seen_id, (digest, outcomes) in enumerate(ids.items(), self._next)
        ]
        self._next += len(rows)
        # Why sorted: an import brings thousands, and those that share a page of the index then go there at once.
        for chunk in chunks(sorted(rows, key=itemgetter(1)), ROWS_PER_STATEMENT):
            parameters: list[object] = []
            for row in chunk:
                parameters += row
            self._connection.execute(values_sql("INSERT INTO remembered_ids", 4, len(chunk)), parameters)

    def prune(self, now_ms: int, arriving: int) -> None:
        """Forget what is too old or too much: a bounded number, and as many as arrive."""
        before_ms = now_ms - REMEMBERED_IDS_AGE_S * 1000
        surplus = self._next - self._oldest - self._ids_max
        if surplus <= 0 and (self._oldest == self._next or self._oldest_seen_ms >= before_ms):
            return
        step_end = min(self._oldest + REMEMBERED_IDS_PRUNED + arriving, self._next)
        first_young = self._connection.execute(
            "SELECT MIN(seen_id) FROM remembered_ids WHERE seen_id >= ? AND seen_id < ? AND seen_ms >= ?",
            (self._oldest, step_end, before_ms),
        ).fetchone()[0]
        keep_from = step_end if first_young is None else first_young
        keep_from = max(keep_from, min(step_end, self._oldest + surplus))
        self._connection.execute("DELETE FROM remembered_ids WHERE seen_id < ?", (keep_from,))
        self._oldest = keep_from
        self._note_oldest()

    def _note_oldest(self) -> None:
        row = self._connection.execute(
            "SELECT seen_ms FROM remembered_ids WHERE seen_id = ?", (self._oldest,)
        ).fetchone()
        self._oldest_seen_ms = row[0] if row else 0
