"""The ids that callers chose, remembered so that a repeat is answered and not queued again.

Remembered for `REMEMBERED_IDS_AGE_S`, or until `REMEMBERED_IDS_MAX` newer ones came; a generation is forgotten at
once, so some stay up to `REMEMBERED_IDS_GENERATION_AGE_S` or two generations longer. New ids are rows of
`remembered_ids`, one for those of a commit that share their outcomes, and a dict. When it is full they are sealed: one
row, sorted, that never changes again, and entries in `remembered_index`. So a new id touches no page of an older one.

All in memory is a mirror: after a transaction failed, `expire_mirror` has it read again by whoever needs it next.
Why so: docs/decisions/0017-remembered-ids.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Final, NamedTuple, TypeAlias

import structlog

from sidecar.limits import (
    REMEMBERED_IDS_AGE_S,
    REMEMBERED_IDS_GENERATION,
    REMEMBERED_IDS_GENERATION_AGE_S,
    REMEMBERED_IDS_MAX,
)
from sidecar.outbox.remembered_index import GENERATIONS_MAX, Index
from sidecar.outbox.remembered_rows import IDS_SEALED_MAX, Outcomes, Sealed, digests_in, readable_outcomes, seal
from sidecar.outbox.rows import DIGEST_BYTES, chunks, pack_outcomes, statement_chunks, unpack_outcomes, values_sql

Seen: TypeAlias = tuple[int, bytes, Outcomes]
"""When an id was seen (ms), its digest, its outcomes."""

_PRUNED_AT_LEAST: Final = 2
"""Generations forgotten by one commit, and as many as it may bring."""
_TRIMMED_TOGETHER: Final = 8
"""Forgotten generations that leave the index at once, since that costs some ms for one or for many."""
_INSERT: Final = "INSERT INTO remembered_ids (digests, seen_ms, outcomes)"
_SELECT_SEALED: Final = """
SELECT generation_id, youngest_ms, CASE typeof(digests) WHEN 'blob' THEN length(digests) END
FROM remembered_generations ORDER BY generation_id
"""
_SELECT_ONE: Final = """
SELECT digests, CAST(codes AS BLOB), CAST(outcomes AS TEXT) FROM remembered_generations WHERE generation_id = ?
"""
"""Why cast: a damaged row may have other types, and must not make a batch fail."""
_YOUNG: Final = 0
"""In the place of a generation's id."""

assert 2 * REMEMBERED_IDS_GENERATION <= IDS_SEALED_MAX
assert REMEMBERED_IDS_MAX // REMEMBERED_IDS_GENERATION + REMEMBERED_IDS_AGE_S // REMEMBERED_IDS_GENERATION_AGE_S < (
    GENERATIONS_MAX - 1
), "a generation is forgotten by age or number, and not because there are too many"


class _Generation(NamedTuple):
    ids: int
    youngest_ms: int


class RememberedIds:
    """Ids by digest: the young in `_young`, the others in generations by id, ascending; `_total` counts both."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ids_max: int = REMEMBERED_IDS_MAX,
        generation_max: int = REMEMBERED_IDS_GENERATION,
    ) -> None:
        self._connection = connection
        self._ids_max = ids_max
        self._generation_max = generation_max
        self._log = structlog.get_logger()
        self._is_current = False
        self._index = Index()
        self._generations: dict[int, _Generation] = {}
        self._newest_id = 0
        self._total = 0
        self._young: dict[bytes, Outcomes] = {}
        self._young_oldest_ms = self._young_youngest_ms = 0
        self._unreadable: set[int] = set()
        """Generations that were said to be so."""

    def expire_mirror(self) -> None:
        """After a failed transaction, or before the first: what is in memory is read again before it is used."""
        self._is_current = False

    def load(self) -> None:
        """Read what the tables hold, of the generations only those that are not known yet; about 0.3 µs an id."""
        found: dict[int, _Generation] = {}
        self._newest_id = 0
        for generation_id, youngest_ms, size in self._connection.execute(_SELECT_SEALED).fetchall():
            self._newest_id = generation_id
            if isinstance(youngest_ms, int) and isinstance(size, int) and size % DIGEST_BYTES == 0:
                found[generation_id] = _Generation(size // DIGEST_BYTES, youngest_ms)
            else:
                self._tell_unreadable(generation_id)
        for generation_id in sorted(self._generations.keys() - found.keys(), reverse=True):
            self._index.drop(generation_id)
        self._generations = found
        for generation_id in sorted(found.keys() - self._index.held):
            self._index.add(generation_id, self._sealed(generation_id).digests)
        self._load_young()
        self._total = len(self._young) + sum(generation.ids for generation in found.values())
        self._is_current = True

    def known(self, digests: Sequence[bytes]) -> dict[bytes, Outcomes]:
        """The outcomes of those that were seen before."""
        self._refresh()
        young = self._young
        found = {digest: young[digest] for digest in digests if digest in young}
        if self._generations:
            older = [digest for digest in digests if digest not in found] if found else digests
            for number, suspects in self._index.suspects(older).items():
                self._look_into(number, suspects, found)
        return found

    def remember(self, ids: Mapping[bytes, Outcomes], now_ms: int) -> None:
        """Write ids that `known` did not find; the oldest are first."""
        self._refresh()
        if len(ids) <= self._generation_max:
            self._enter(ids, now_ms)
            return
        for chunk in chunks(list(ids), self._generation_max):
            self._enter({digest: ids[digest] for digest in chunk}, now_ms)

    def prune(self, now_ms: int, arriving: int) -> None:
        """Forget the oldest generations, a few, and seal the young ones when the first of them has been here long."""
        self._refresh()
        if self._young and now_ms - self._young_oldest_ms >= REMEMBERED_IDS_GENERATION_AGE_S * 1000:
            self._seal()
        before_ms = now_ms - REMEMBERED_IDS_AGE_S * 1000
        for _ in range(_PRUNED_AT_LEAST + arriving // self._generation_max):
            oldest_id = next(iter(self._generations), None)
            if oldest_id is None:
                return
            ids, youngest_ms = self._generations[oldest_id]
            if youngest_ms >= before_ms and self._total - ids < self._ids_max:
                return
            self._forget(oldest_id)

    def _enter(self, ids: Mapping[bytes, Outcomes], now_ms: int) -> None:
        if not ids:
            return
        # Why by identity: the events of an import share few outcomes, and hashing them costs more than all else here.
        shared = {id(outcomes): outcomes for outcomes in ids.values()}
        packed = {identity: pack_outcomes(outcomes) for identity, outcomes in shared.items()}
        together: dict[str, list[bytes]] = {}
        for digest, outcomes in ids.items():
            together.setdefault(packed[id(outcomes)], []).append(digest)
        self._young_oldest_ms = self._young_oldest_ms if self._young else now_ms
        self._young_youngest_ms = max(self._young_youngest_ms, now_ms) if self._young else now_ms
        for text, digests in together.items():
            self._young.update(dict.fromkeys(digests, unpack_outcomes(text)))
        self._total += len(ids)
        if len(self._young) >= self._generation_max:
            self._seal()
            return
        rows = [(b"".join(digests), now_ms, text) for text, digests in together.items()]
        for chunk in statement_chunks(rows):
            parameters: list[object] = []
            for row in chunk:
                parameters += row
            self._connection.execute(values_sql(_INSERT, 3, len(chunk)), parameters)

    def _seal(self) -> None:
        """Make a generation of the young ones: their rows, if any, become one that is sorted."""
        if len(self._generations) >= GENERATIONS_MAX:
            self._forget(next(iter(self._generations)))
        generation_id = self._newest_id = self._newest_id + 1
        sealed = seal(self._young)
        self._connection.execute(
            "INSERT INTO remembered_generations VALUES (?, ?, ?, ?, ?)",
            (generation_id, self._young_youngest_ms, *sealed),
        )
        self._connection.execute("DELETE FROM remembered_ids")
        self._index.add(generation_id, sealed.digests)
        self._generations[generation_id] = _Generation(len(self._young), self._young_youngest_ms)
        self._young = {}

    def _forget(self, generation_id: int) -> None:
        # Why those before it too: they are such as could not be read.
        self._connection.execute("DELETE FROM remembered_generations WHERE generation_id <= ?", (generation_id,))
        self._total -= self._generations.pop(generation_id).ids
        if len(self._index.held) >= len(self._generations) + _TRIMMED_TOGETHER:
            self._index.trim(self._generations)

    def _look_into(self, number: int, suspects: Iterable[bytes], found: dict[bytes, Outcomes]) -> None:
        """Add what the generation with a number in the index has of some digests."""
        generation_id = self._newest_id - (self._newest_id - number) % GENERATIONS_MAX
        if generation_id not in self._generations:
            return
        sealed = self._sealed(generation_id)
        places = {digest: place for digest in suspects if (place := sealed.place(digest)) is not None}
        if not places:
            return
        said = sealed.said()
        for digest, place in places.items():
            outcomes = said.get(sealed.line(place))
            if outcomes is None:
                self._tell_unreadable(generation_id)
            else:
                found[digest] = outcomes

    def _sealed(self, generation_id: int) -> Sealed:
        return Sealed(*self._connection.execute(_SELECT_ONE, (generation_id,)).fetchone())

    def _load_young(self) -> None:
        self._young = {}
        times_ms: list[int] = []
        for digests, seen_ms, packed in self._connection.execute(
            "SELECT digests, seen_ms, outcomes FROM remembered_ids ORDER BY seen_id"
        ):
            outcomes = readable_outcomes(packed)
            if outcomes is None or not isinstance(digests, bytes) or not isinstance(seen_ms, int):
                self._tell_unreadable(_YOUNG)
                continue
            self._young.update(dict.fromkeys(digests_in(digests), outcomes))
            times_ms.append(seen_ms)
        self._young_oldest_ms, self._young_youngest_ms = min(times_ms, default=0), max(times_ms, default=0)

    def _tell_unreadable(self, generation_id: int) -> None:
        """Said once: such an id counts as new, so that nothing is refused for it."""
        if generation_id not in self._unreadable:
            self._unreadable.add(generation_id)
            self._log.warning("remembered_ids_unreadable", generation=generation_id)

    def _refresh(self) -> None:
        if not self._is_current:
            self.load()


def carry_over(seen: Iterable[Seen], into: RememberedIds) -> int:
    """Remember ids of another table, the oldest first; those that are there already stay. How many were new.

    A generation then has ids of about one time, as if they came now.
    """
    new = 0
    for _, of_a_time in groupby(seen, key=lambda one: one[0] // (REMEMBERED_IDS_GENERATION_AGE_S * 1000)):
        for batch in _batches(of_a_time):
            ids = {digest: outcomes for _, digest, outcomes in reversed(batch)}
            for digest in into.known(list(ids)):
                del ids[digest]
            into.remember(ids, max(seen_ms for seen_ms, _, _ in batch))
            new += len(ids)
    return new


def _batches(seen: Iterator[Seen]) -> Iterator[list[Seen]]:
    while batch := list(islice(seen, REMEMBERED_IDS_GENERATION)):
        yield batch
