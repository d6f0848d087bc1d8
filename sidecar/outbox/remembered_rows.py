"""A sealed generation of remembered ids as one row, and what of it can be read. Pure; the table is in `schema.py`.

A row whose outcomes cannot be read is met in passing, among ids of a batch that has nothing to do with it: so what
reads them here says None, and raises nothing.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from sidecar.outbox.rows import DIGEST_BYTES, pack_outcomes, unpack_outcomes
from sidecar.values import Outcome

Outcomes: TypeAlias = tuple[Outcome, ...]

_CODE_BYTES: Final = 2
IDS_SEALED_MAX: Final = 1 << 8 * _CODE_BYTES
"""Ids of one generation at most: each may have outcomes of its own."""


class Sealed(NamedTuple):
    """The columns of a generation that are the same ever after.

    `digests` are sorted and joined. `outcomes` has one packed text a line, each once; `codes` has for each digest, in
    order, the number of its line, or is empty when there is one line.
    """

    digests: bytes
    codes: bytes
    outcomes: str

    def place(self, digest: bytes) -> int | None:
        """Where a digest stands among the others; None = nowhere."""
        ids = len(self.digests) // DIGEST_BYTES
        at = bisect_left(range(ids), digest, key=self._digest)
        return at if at < ids and self._digest(at) == digest else None

    def said(self) -> Mapping[int, Outcomes]:
        """Readable outcomes by the number of their line."""
        lines = {line: readable_outcomes(text) for line, text in enumerate(self.outcomes.split("\n"))}
        return {line: outcomes for line, outcomes in lines.items() if outcomes is not None}

    def line(self, place: int) -> int:
        """The number of the line of the digest at a place; -1 when that is gone."""
        if not self.codes:
            return 0
        code = self.codes[place * _CODE_BYTES : (place + 1) * _CODE_BYTES]
        return int.from_bytes(code, "little") if len(code) == _CODE_BYTES else -1

    def readable(self) -> Iterator[tuple[bytes, Outcomes]]:
        """Each digest with its outcomes, without those whose outcomes cannot be read."""
        said = self.said()
        for place, digest in enumerate(digests_in(self.digests)):
            outcomes = said.get(self.line(place))
            if outcomes is not None:
                yield digest, outcomes

    def _digest(self, place: int) -> bytes:
        return self.digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


def seal(ids: Mapping[bytes, Outcomes]) -> Sealed:
    """At most `IDS_SEALED_MAX` of them, by digest."""
    digests = sorted(ids)
    # Why by identity: they share few outcomes, and hashing those would cost more than all else here.
    shared = {id(outcomes): outcomes for outcomes in ids.values()}
    lines: dict[str, int] = {}
    line_of = {key: lines.setdefault(pack_outcomes(outcomes), len(lines)) for key, outcomes in shared.items()}
    codes = b""
    if len(lines) > 1:
        codes = struct.pack(f"<{len(digests)}H", *[line_of[id(ids[digest])] for digest in digests])
    return Sealed(b"".join(digests), codes, "\n".join(lines))


def digests_in(joined: bytes) -> list[bytes]:
    """One by one; what is left over of a torn value is left out."""
    return [joined[at : at + DIGEST_BYTES] for at in range(0, len(joined) - DIGEST_BYTES + 1, DIGEST_BYTES)]


def readable_outcomes(packed: object) -> Outcomes | None:
    """What `pack_outcomes` made; None when it did not make this."""
    if not isinstance(packed, str):
        return None
    try:
        outcomes = unpack_outcomes(packed)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    words: list[object] = [word for one in outcomes for word in (one.destination, one.reason)]
    return outcomes if all(isinstance(word, str) for word in words) else None
