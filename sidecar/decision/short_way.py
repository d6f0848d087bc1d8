"""The short way through a flag, for users whom nothing but audiences and traffic can decide: most of them.

What `flags` walks step by step, laid out ahead: each rule's audience, its traffic, the decision of each range.
A flag with holdouts, or with a rule that anything else can decide, has none. That both ways agree:
tests/decision/test_short_way.py. Rules: docs/semantics.md D4, D6, B1 to B3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple, Protocol

from mmh3 import hash as murmur3

from sidecar.decision.answers import Answers, Decision
from sidecar.decision.bucketing import BUCKETS, SEED, SIGNED
from sidecar.decision.matches import Condition
from sidecar.decision.placement import Placement
from sidecar.decision.user import User

HASHES: Final = 2**32
_ENDS_KEPT: Final = 4_096


class Rule(Protocol):
    """What is looked at of a rule in its place in a flag."""

    answers: Answers
    local_holdouts: tuple[Placement, ...]
    placement: Placement


class _Step(NamedTuple):
    """One rule: whom it admits (None = everybody), what is hashed with them, and the decision of each range.

    `ends` are the ends of the ranges among the hashes, not among the buckets.
    """

    audience: Condition | None
    entity_id: bytes
    ends: tuple[int, ...]
    decisions: tuple[Decision | None, ...]


class ShortWay:
    """The rules of one flag, in the order in which they are asked."""

    __slots__ = ("_experiments", "_last", "_nothing", "_rollout")

    def __init__(self, experiments: tuple[_Step, ...], rollout: tuple[_Step, ...], nothing: Decision) -> None:
        self._experiments, self._rollout, self._nothing = experiments, rollout, nothing
        self._last = rollout[-1:]

    def decide(self, user: User) -> Decision:
        """What `CompiledFlag.walk` answers; only for a user who `is_plain`."""
        attributes, segments, hashed = user.attributes, user.qualified_segments, user.bucketing_bytes
        for audience, entity_id, ends, decisions in self._experiments:
            if audience is None or audience(attributes, segments) is True:
                decision = decisions[bisect_right(ends, murmur3(hashed + entity_id, SEED, SIGNED))]
                if decision is not None:
                    return decision
        steps = self._rollout
        while steps:
            for audience, entity_id, ends, decisions in steps:
                if audience is None or audience(attributes, segments) is True:
                    decision = decisions[bisect_right(ends, murmur3(hashed + entity_id, SEED, SIGNED))]
                    if decision is not None:
                        return decision
                    break
            else:
                return self._nothing
            # Who is in a rule's audience and not in its traffic goes to the last one, once (D6).
            steps = self._last if steps is not self._last else ()
        return self._nothing


def short_way(
    holdouts: Sequence[Placement], experiments: Sequence[Rule], deliveries: Sequence[Rule], nothing: Decision
) -> ShortWay | None:
    """The short way through a flag of these rules, None when it has none; `nothing` is when no rule answers."""
    # Why not those: a rule that is not running decides for nobody but users for whom something is set.
    asked = [_step(rule) for rule in experiments if rule.placement.running or rule.local_holdouts]
    rolled_out = [_step(rule) for rule in deliveries]
    if holdouts or None in asked or None in rolled_out:
        return None
    return ShortWay(tuple(filter(None, asked)), tuple(filter(None, rolled_out)), nothing)


def _step(rule: Rule) -> _Step | None:
    placement, prebuilt = rule.placement, rule.answers.prebuilt
    if rule.local_holdouts or not prebuilt or placement.group or placement.whitelist or placement.unsupported:
        return None
    ranges = placement.ranges
    decisions = tuple(None if arm is None else prebuilt[arm.place] for arm in ranges.outcomes)
    return _Step(placement.audience, ranges.entity_id, _ends_in_hashes(ranges.ends), decisions)


@lru_cache(maxsize=_ENDS_KEPT)
def _ends_in_hashes(ends: tuple[int | float, ...]) -> tuple[int, ...]:
    """Kept: most rules of a datafile share their traffic out in one of a few ways."""
    return tuple(map(_first_hash, ends))


def _first_hash(end: float) -> int:
    """The least hash whose bucket is not below the end of a range: where the next one begins (B1, B2)."""
    # Why apart: an end may be any number, and one of hundreds of digits is none that `ceil` or a float takes.
    if end >= BUCKETS:
        return HASHES
    # Why its ceiling first: buckets are whole, so what ends at 0.5 holds all of bucket 0.
    return -(-ceil(max(end, 0)) * HASHES // BUCKETS)
