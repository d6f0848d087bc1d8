"""Which sealed generations may hold a digest, in memory: three bytes an id, wrong once in some hundred new ids' looks.

A bucket by the digest's first 14 bits; in it, an entry an id in the order of sealing: two bytes of the digest, and the
number of the generation, its id modulo 256. An entry too many costs a look at the table and nothing else, one too few
would lose a repeat: so entries are only taken away where they are known to be of no living generation. No I/O.
Why so: docs/decisions/0017-remembered-ids.md.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from sidecar.outbox.rows import DIGEST_BYTES

GENERATIONS_MAX: Final = 256
"""Generations that can live at once: an entry has a byte for the number of its own."""

_BUCKETS: Final = 2**14
_ENTRY_BYTES: Final = 3
_MARK: Final = slice(2, 4)
_HIGH_BITS: Final = bytes(byte >> 2 for byte in range(256))
"""Six bits of the second byte; with the first they are the number of a bucket."""
_PIECE: Final = struct.Struct(f"{_ENTRY_BYTES}s" * 64)
"""Why 64 at once: cut one by one, entries take a third of the time that a start has."""


class Index:
    """Entries of generations, in the order in which they were added."""

    def __init__(self) -> None:
        self._buckets = [b""] * _BUCKETS
        self.held: set[int] = set()
        """Generations that were added, and neither dropped nor trimmed."""

    def add(self, generation_id: int, digests: bytes) -> None:
        """Enter the digests of a generation, joined; they are spread evenly (`rows.digest_of`)."""
        count = len(digests) // DIGEST_BYTES
        places = bytearray(2 * count)
        places[0::2] = digests[0::DIGEST_BYTES]
        places[1::2] = digests[1::DIGEST_BYTES].translate(_HIGH_BITS)
        entries = bytearray(-(-count * _ENTRY_BYTES // _PIECE.size) * _PIECE.size)
        end = count * _ENTRY_BYTES
        entries[0:end:_ENTRY_BYTES] = digests[2::DIGEST_BYTES]
        entries[1:end:_ENTRY_BYTES] = digests[3::DIGEST_BYTES]
        entries[2:end:_ENTRY_BYTES] = bytes([generation_id % GENERATIONS_MAX]) * count
        buckets = self._buckets
        numbers = struct.unpack(f"<{count}H", places)
        for number, entry in zip(numbers, chain.from_iterable(_PIECE.iter_unpack(entries)), strict=False):
            buckets[number] += entry
        self.held.add(generation_id)

    def drop(self, generation_id: int) -> None:
        """Take away the entries of the newest, after the transaction that sealed it failed."""
        number = generation_id % GENERATIONS_MAX
        for place, bucket in enumerate(self._buckets):
            end = len(bucket)
            while end and bucket[end - 1] == number:
                end -= _ENTRY_BYTES
            if end < len(bucket):
                self._buckets[place] = bucket[:end]
        self.held.discard(generation_id)

    def trim(self, living: Collection[int]) -> None:
        """Take away the entries that stand before those of a living generation.

        Those of one that was added again, since a failed transaction had it forgotten, go after younger ones.
        """
        numbers = {generation_id % GENERATIONS_MAX for generation_id in living}
        for place, bucket in enumerate(self._buckets):
            start, end = 0, len(bucket)
            while start < end and bucket[start + 2] not in numbers:
                start += _ENTRY_BYTES
            if start:
                self._buckets[place] = bucket[start:]
        self.held.intersection_update(living)

    def suspects(self, digests: Iterable[bytes]) -> Mapping[int, Sequence[bytes]]:
        """By the number of a generation: those of the digests that it may hold. One may be named by several."""
        found: dict[int, list[bytes]] = {}
        buckets = self._buckets
        for digest in digests:
            bucket = buckets[digest[0] | (digest[1] & 0xFC) << 6]
            if digest[_MARK] in bucket:
                for number in _numbers(bucket, digest[_MARK]):
                    found.setdefault(number, []).append(digest)
        return found


def _numbers(bucket: bytes, mark: bytes) -> set[int]:
    numbers: set[int] = set()
    at = bucket.find(mark)
    while at >= 0:
        if at % _ENTRY_BYTES == 0:
            numbers.add(bucket[at + 2])
        at = bucket.find(mark, at + 1)
    return numbers
