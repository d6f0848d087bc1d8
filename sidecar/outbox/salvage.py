"""Carries what can be read of a damaged outbox file into a fresh one, and accounts for the rest.

Events, ids, cursors and dead letters stay what they were, so that nothing is delivered in another order and no more
often than a crash would have it. For each destination accepted = delivered + pending + dead + dropped afterwards too:
events that are gone are dropped{DAMAGED}; where more is here than was counted, the counts follow what is here.
Why so: docs/decisions/0013-outbox-salvage.md. How a damaged file is read is `salvage_reading`'s business.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sidecar.outbox.facts import NO_FACTS
from sidecar.outbox.ledger import DEFAULT_BOUNDS, Account
from sidecar.outbox.remembered import RememberedIds, Seen, carry_over
from sidecar.outbox.remembered_rows import Sealed, digests_in, readable_outcomes
from sidecar.outbox.rows import (
    DIGEST_BYTES,
    Target,
    event_bytes,
    indexes_of,
    pack_id,
    pack_routes,
    spread,
    unpack_routes,
)
from sidecar.outbox.salvage_reading import DamagedFile, Row
from sidecar.outbox.schema import SCHEMA_VERSION
from sidecar.ports import Cursor

DAMAGED: Final = "DAMAGED"

_EVENTS_MAX: Final = 2**16
"""Events of one record, by the length of a mask in packed routes, and more."""


@dataclass(slots=True, kw_only=True)
class Salvaged:
    """What came of it, in events and rows. `lost` is dropped{DAMAGED} of all destinations; `torn` names tables.

    `recounted` are destinations whose counters could not be read: theirs begin with what was saved.
    """

    pending: int = 0
    dead: int = 0
    lost: int = 0
    ids: int = 0
    without_facts: int = 0
    recounted: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)


def salvage(damaged: DamagedFile, fresh: sqlite3.Connection, version: int) -> Salvaged:
    """Fill the empty tables of `fresh`, in one transaction. `version` is the damaged file's schema version."""
    fresh.execute("BEGIN IMMEDIATE")
    saved = _Salvage(damaged, fresh).run(version)
    fresh.execute("COMMIT")
    return saved


class _Salvage:
    """One salvage: destinations first, since all else names them; counts last, since they follow from the rest."""

    def __init__(self, damaged: DamagedFile, fresh: sqlite3.Connection) -> None:
        self._damaged, self._fresh = damaged, fresh
        self._accounts: dict[int, Account] = {}
        self._facts: set[int] = set()
        self._saved = Salvaged()
        self._highest_destination = self._last_record = 0

    def run(self, version: int) -> Salvaged:
        self._take_destinations()
        self._take_facts()
        self._take_dead_letters(version)
        self._take_records()
        self._take_remembered_ids(version)
        self._count_dead_letters()
        for account in self._accounts.values():
            self._balance(account)
            self._write(account)
        self._finish()
        self._saved.torn = sorted(self._damaged.torn)
        return self._saved

    def _take_destinations(self) -> None:
        names: set[str] = set()
        for row in self._damaged.destinations():
            match row:
                case (int(destination_id), str(name)) if destination_id > 0 and name and name not in names:
                    if destination_id not in self._accounts:
                        names.add(name)
                        self._enter(destination_id, name)
        for row in self._damaged.cursors():
            match row:
                case (int(destination_id), int(record_id), int(index)) if (
                    destination_id in self._accounts and record_id >= 0
                ):
                    self._accounts[destination_id].cursor = Cursor(record_id, index)

    def _enter(self, destination_id: int, name: str) -> None:
        self._accounts[destination_id] = Account(
            destination_id=destination_id,
            name=name,
            bounds=DEFAULT_BOUNDS,
            configured=True,
            packed_id=pack_id(destination_id),
        )
        self._insert("destinations", (destination_id, name))

    def _take_facts(self) -> None:
        for row in self._damaged.facts():
            match row:
                case (int(facts_id), str(key), bytes(body)) if facts_id > 0:
                    self._insert("facts", (facts_id, key, 0, body))
        self._facts = {facts_id for (facts_id,) in self._fresh.execute("SELECT facts_id FROM facts")}

    def _take_dead_letters(self, version: int) -> None:
        for row in self._damaged.dead_letters(version):
            match row:
                case (
                    int(dead_id),
                    int(destination_id),
                    int(record_id),
                    int(event_index),
                    str(),
                    str(),
                    int(),
                    int(size),
                    int(),
                    int(),
                ) if dead_id > 0 and destination_id in self._accounts and record_id > 0 <= event_index and size >= 0:
                    self._insert("dead_letters", row)

    def _take_records(self) -> None:
        """Those that a destination still waits for, or a dead letter names; each once."""
        for row in self._damaged.records():
            match row:
                case (
                    int(record_id),
                    int(facts_id),
                    int(received_ms),
                    (int() | None) as requeued_ms,
                    int(event_count),
                    bytes(routes),
                    bytes(body),
                ) if record_id > 0 and 0 < event_count <= _EVENTS_MAX:
                    targets = self._targets(routes, event_count)
                    waiting = list(self._waiting(record_id, targets))
                    if not waiting and not self._is_named(record_id):
                        continue
                    known_facts = facts_id if facts_id in self._facts else NO_FACTS
                    kept = (record_id, known_facts, received_ms, requeued_ms, event_count, pack_routes(targets), body)
                    if self._insert("records", kept):
                        self._saved.without_facts += known_facts != facts_id
                        for account, events in waiting:
                            account.pending += events
                            account.pending_bytes += events * event_bytes(len(body), event_count)

    def _targets(self, routes: bytes, event_count: int) -> list[Target]:
        """The destinations of a record as far as they are known; none when the routes are damaged."""
        try:
            targets = unpack_routes(routes.hex())
        except (OverflowError, MemoryError):
            return []
        if any(target.mask.bit_length() > event_count for target in targets):
            return []
        self._highest_destination = max(self._highest_destination, *(one.destination_id for one in targets), 0)
        return [target for target in targets if target.destination_id in self._accounts and target.mask]

    def _waiting(self, record_id: int, targets: Iterable[Target]) -> Iterator[tuple[Account, int]]:
        for target in targets:
            account = self._accounts[target.destination_id]
            indexes = indexes_of(target.mask)
            events = sum((record_id, index) > account.cursor for index in indexes)
            if events:
                yield account, events

    def _is_named(self, record_id: int) -> bool:
        named = self._fresh.execute("SELECT 1 FROM dead_letters WHERE record_id = ? LIMIT 1", (record_id,))
        return named.fetchone() is not None

    def _take_remembered_ids(self, version: int) -> None:
        self._saved.ids = carry_over(self._remembered(version), RememberedIds(self._fresh))

    def _remembered(self, version: int) -> Iterator[Seen]:
        for row in self._damaged.remembered_generations(version):
            match row:
                case (int(), int(youngest_ms), bytes(joined), bytes(codes), str(text)):
                    for digest, outcomes in Sealed(joined, codes, text).readable():
                        yield youngest_ms, digest, outcomes
                case _:
                    pass
        for row in self._damaged.remembered_ids():
            match row:
                case (int(), bytes(joined), int(seen_ms), str(text)) if len(joined) % DIGEST_BYTES == 0:
                    said = readable_outcomes(text)
                    if said is not None:
                        for digest in digests_in(joined):
                            yield seen_ms, digest if version >= SCHEMA_VERSION else spread(digest), said
                case _:
                    pass

    def _count_dead_letters(self) -> None:
        self._fresh.execute("DELETE FROM dead_letters WHERE record_id NOT IN (SELECT record_id FROM records)")
        counted = "SELECT destination_id, count(*), sum(bytes) FROM dead_letters GROUP BY destination_id"
        for destination_id, dead, dead_bytes in self._fresh.execute(counted):
            self._accounts[destination_id].dead = dead
            self._accounts[destination_id].dead_bytes = dead_bytes

    def _balance(self, account: Account) -> None:
        """Make the counts of one destination add up to what was saved of it."""
        found: set[str] = set()
        for row in self._damaged.counters(account.destination_id):
            match row:
                case ("accepted" | "delivered" | "dropped" as name, str(reason), int(value)) if value >= 0:
                    account.read(name, reason, value)
                    found.add(name)
        here = account.pending + account.dead
        if not {"accepted", "delivered"} <= found:
            account.accepted, account.delivered, account.dropped = here, 0, {}
            self._saved.recounted.append(account.name)
        lost = account.accepted - account.delivered - here - sum(account.dropped.values())
        if lost > 0:
            account.dropped[DAMAGED] = account.dropped.get(DAMAGED, 0) + lost
            self._saved.lost += lost
        else:
            # More is here than was counted as waiting: what counts as delivered will be delivered once more.
            again = min(account.delivered, -lost)
            account.delivered -= again
            account.accepted += -lost - again
        self._saved.pending += account.pending
        self._saved.dead += account.dead

    def _write(self, account: Account) -> None:
        for key, value in account.counters().items():
            self._insert("counters", (account.destination_id, *key, value))
        self._insert("cursors", (account.destination_id, *account.cursor))
        self._last_record = max(self._last_record, account.cursor.record_id)

    def _finish(self) -> None:
        """Count what facts are needed for, and see that no id is given twice."""
        self._fresh.execute(
            "UPDATE facts SET records = (SELECT count(*) FROM records WHERE records.facts_id = facts.facts_id)"
        )
        highest = {
            "destinations": self._highest_destination,
            "facts": 0,
            "records": self._last_record,
            "dead_letters": 0,
        }
        for table, least in highest.items():
            found = self._fresh.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
            seq = max(least, self._damaged.sequence(table), found[0] if found else 0)
            self._fresh.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self._fresh.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, seq))

    def _insert(self, table: str, row: Row) -> bool:
        """Whether it was inserted: a row that is there twice, or breaks a rule of its table, is passed over."""
        places = ",".join("?" * len(row))
        insert = f"INSERT OR IGNORE INTO {table} VALUES ({places})"  # noqa: S608 - a table of ours
        return self._fresh.execute(insert, row).rowcount > 0
