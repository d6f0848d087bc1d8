"""Project facts: a row once per revision, counted by the records that name it, kept while one does.

The mirror in memory of `facts` without its bodies; flushed and loaded like `ledger`.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from sidecar.limits import FACTS_UNUSED_MAX
from sidecar.ports import EncodedFacts

NO_FACTS: Final = 0
_BODIES_KEPT: Final = 16


class FactsRows:
    """Ids of facts by key, and how many records need each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._records: dict[int, int] = {}
        self._dirty: set[int] = set()
        self._bodies: dict[int, EncodedFacts] = {}

    def load(self) -> None:
        """Read keys and counts; what was changed and not flushed is forgotten."""
        self._ids.clear()
        self._records.clear()
        self._dirty.clear()
        self._bodies.clear()
        rows = self._connection.execute("SELECT facts_id, key, records FROM facts ORDER BY facts_id")
        for facts_id, key, records in rows:
            self._ids[key] = facts_id
            self._records[facts_id] = records

    def id_of(self, facts: EncodedFacts | None) -> int:
        """The row of these facts, written if they are new; `hold` it for each record that names it."""
        if facts is None:
            return NO_FACTS
        facts_id = self._ids.get(facts.key)
        if facts_id is None:
            inserted = self._connection.execute(
                "INSERT INTO facts (key, records, body) VALUES (?, 0, ?)", (facts.key, facts.body)
            )
            assert inserted.lastrowid is not None
            facts_id = self._ids[facts.key] = inserted.lastrowid
            self._records[facts_id] = 0
            self._dirty.add(facts_id)
        return facts_id

    def hold(self, facts_id: int) -> None:
        """One more record needs these facts, by their row."""
        if facts_id in self._records:
            self._records[facts_id] += 1
            self._dirty.add(facts_id)

    def release(self, facts_id: int) -> None:
        """One record less needs these facts."""
        if facts_id in self._records:
            self._records[facts_id] -= 1
            self._dirty.add(facts_id)

    def body(self, facts_id: int) -> EncodedFacts | None:
        """Facts by their row; the same object for the same row while it is in use."""
        if facts_id == NO_FACTS:
            return None
        facts = self._bodies.get(facts_id)
        if facts is None:
            row = self._connection.execute("SELECT key, body FROM facts WHERE facts_id = ?", (facts_id,)).fetchone()
            if row is None:
                # Lost with a damaged page: the event goes without, where its destination can say it so.
                return None
            facts = EncodedFacts(row[0], row[1])
            if len(self._bodies) >= _BODIES_KEPT:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[facts_id] = facts
        return facts

    def flush(self) -> None:
        """Write the counts that changed and delete rows that nothing needs, but for the newest few."""
        if not self._dirty:
            return
        for facts_id in self._dirty:
            self._connection.execute(
                "UPDATE facts SET records = ? WHERE facts_id = ?", (self._records[facts_id], facts_id)
            )
        if any(not self._records[facts_id] for facts_id in self._dirty):
            self._delete_unused()
        self._dirty.clear()

    def _delete_unused(self) -> None:
        unused = [facts_id for facts_id, records in self._records.items() if not records]
        for facts_id in unused[:-FACTS_UNUSED_MAX]:
            self._connection.execute("DELETE FROM facts WHERE facts_id = ?", (facts_id,))
            del self._records[facts_id]
            self._bodies.pop(facts_id, None)
        self._ids = {key: facts_id for key, facts_id in self._ids.items() if facts_id in self._records}
