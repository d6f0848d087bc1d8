"""Where a user falls: the hash, the 10,000 buckets and the traffic ranges over them.

Pure arithmetic on strings. Rules: docs/semantics.md B1 to B5.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

from mmh3 import hash as murmur3
from msgspec import Struct

from sidecar.decision.entities import Allocation
from sidecar.decision.trace import Trace

BUCKETS: Final = 10_000
SEED: Final = 1
SIGNED: Final = False

Outcome = TypeVar("Outcome")


def utf8(text: str) -> bytes:
    """The bytes that are hashed; a lone surrogate, which has no UTF-8 form, counts as U+FFFD (B1).

    Why not leave it to `mmh3`: given a string with a lone surrogate it crashes the process (5.x), and JSON
    can hold one.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def hash_of(bucketing_id: str, entity_id: str) -> int:
    """The unsigned 32-bit murmur3 of both ids, as UTF-8 and without a separator (B1)."""
    return murmur3(utf8(bucketing_id) + utf8(entity_id), SEED, SIGNED)


def bucket(bucketing_id: str, entity_id: str) -> int:
    """Place a user in one of 10,000 equal buckets of an experiment, group or holdout.

    Returns 0 ≤ bucket < 10_000, in hundredths of a percent of traffic; the same on every platform and
    version. Source: docs/semantics.md B1; tests/vectors/bucket_values.json.
    """
    return hash_of(bucketing_id, entity_id) * BUCKETS >> 32


class Ranges(Struct, Generic[Outcome], frozen=True, eq=False, gc=False):
    """Traffic ranges of one entity, ready to be searched; an outcome of None is traffic that nobody gets.

    `ends` are ascending; `outcomes` has one more, for what is beyond the last end.
    """

    entity_id: bytes
    ends: tuple[int | float, ...]
    outcomes: tuple[Outcome | None, ...]

    def choose(self, bucketing_id: bytes, trace: Trace | None = None) -> Outcome | None:
        """What the bucket of an id, in bytes as `utf8` has it, holds; None for nobody's traffic (B2, B3)."""
        # `bucket`, without the calls.
        index = bisect_right(self.ends, murmur3(bucketing_id + self.entity_id, SEED, SIGNED) * BUCKETS >> 32)
        if trace is not None:
            self._write_down(bucketing_id, index, trace)
        return self.outcomes[index]

    def _write_down(self, bucketing_id: bytes, index: int, trace: Trace) -> None:
        ids = bucketing_id.decode(), self.entity_id.decode()
        start = self.ends[index - 1] if index else 0
        within = (start, self.ends[index]) if index < len(self.ends) else None
        trace.bucketed(*ids, hashed=hash_of(*ids), bucket=bucket(*ids), within=within)


def ranges(entity_id: str, allocations: Sequence[Allocation], outcomes: Mapping[str, Outcome]) -> Ranges[Outcome]:
    """Make ranges of a traffic allocation; an entity id that is not in `outcomes` chooses nothing (B3)."""
    ends: list[int | float] = []
    chosen: list[Outcome | None] = []
    for allocation in allocations:
        # A range that ends no later than one before it holds no bucket: the first range wins (B2).
        if not ends or allocation.end_of_range > ends[-1]:
            ends.append(allocation.end_of_range)
            chosen.append(outcomes.get(allocation.entity_id))
    return Ranges(utf8(entity_id), tuple(ends), (*chosen, None))
