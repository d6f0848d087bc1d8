"""What share of users each variation of a flag gets, by the datafile's traffic alone.

The share is exact for a user who is in every audience and for whom nothing is fixed: no forced decision or variation,
no whitelist, no profile. Draws of different entities are independent, as murmur3 makes them; draws of one entity, as
of the group of two experiments, are one draw. The order is that of `flags`. Rules: docs/semantics.md D3, D4, D6, D8,
B1 to B4.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Final, TypeAlias, TypeVar

from sidecar.decision.bucketing import BUCKETS, Ranges
from sidecar.decision.flags import TARGETED_DELIVERY, CompiledFlag, FlagRule
from sidecar.decision.placement import Arm, Placement

NO_VARIATION: Final = ""
KINDS_MAX: Final = 4_096
"""Kinds of users told apart by their draws; past it, draws of one entity count as independent too."""

_Drawn: TypeAlias = frozenset[tuple[bytes, int, int]]
"""Where the draws made so far fell: entity, first bucket, first bucket after it."""
_Mass: TypeAlias = Mapping[_Drawn, float]
"""The users who are still undecided: their share, by what is known of their draws."""

Outcome = TypeVar("Outcome")


def expected_shares(flag: CompiledFlag) -> Mapping[str, float]:
    """The share of users, 0 to 1, by variation key; NO_VARIATION for those who get none. They sum to 1."""
    return _Walk(flag).shares


class _Walk:
    """Sends all users through one flag and collects who leaves it where."""

    def __init__(self, flag: CompiledFlag) -> None:
        self._flag = flag
        self._redrawn = _redrawn(flag)
        self.shares: dict[str, float] = {NO_VARIATION: 0.0}
        mass: _Mass = {frozenset(): 1.0}
        for holdout in flag.holdouts:
            if holdout.excludes_targeted_deliveries:
                held, mass = self._divide(holdout, mass)
                targeted = [rule for rule in flag.experiments if rule.placement.type == TARGETED_DELIVERY]
                self._ask(targeted, held)
            else:
                mass = self._place(holdout, mass)
        self._ask(flag.experiments, mass)
        if not self.shares[NO_VARIATION]:
            del self.shares[NO_VARIATION]

    def _ask(self, experiments: Sequence[FlagRule], mass: _Mass) -> None:
        for rule in experiments:
            mass = self._hold(rule, mass)
            if rule.placement.running and not rule.placement.unsupported:
                mass = self._place(rule.placement, mass)
        self._deliver(mass)

    def _deliver(self, mass: _Mass) -> None:
        """The first rule that can choose, then the last one: everybody is in every audience (D6)."""
        deliveries = self._flag.deliveries
        for rule in deliveries:
            mass = self._hold(rule, mass)
            if rule.placement.unsupported:
                continue
            mass = self._place(rule.placement, mass)
            last = deliveries[-1]
            if rule is not last:
                mass = self._hold(last, mass)
                mass = mass if last.placement.unsupported else self._place(last.placement, mass)
            break
        self.shares[NO_VARIATION] += sum(mass.values())

    def _hold(self, rule: FlagRule, mass: _Mass) -> _Mass:
        for holdout in rule.local_holdouts:
            mass = self._place(holdout, mass)
        return mass

    def _place(self, placement: Placement, mass: _Mass) -> _Mass:
        """Count whom a rule gives a variation; those whom it gives none stay."""
        left: defaultdict[_Drawn, float] = defaultdict(float)
        for arm, share, drawn in self._outcomes(placement, mass):
            if arm is None:
                left[drawn] += share
            else:
                self.shares[arm.key] = self.shares.get(arm.key, 0.0) + share
        return left if len(left) <= KINDS_MAX else {frozenset(): sum(left.values())}

    def _divide(self, holdout: Placement, mass: _Mass) -> tuple[_Mass, _Mass]:
        """Those whom a holdout holds, and the others."""
        held: defaultdict[_Drawn, float] = defaultdict(float)
        free: defaultdict[_Drawn, float] = defaultdict(float)
        for arm, share, drawn in self._outcomes(holdout, mass):
            (free if arm is None else held)[drawn] += share
        return held, free

    def _outcomes(self, placement: Placement, mass: _Mass) -> Iterator[tuple[Arm | None, float, _Drawn]]:
        for drawn, share in mass.items():
            if placement.group is None:
                yield from self._draw(placement.ranges, drawn, share)
                continue
            for chosen, part, after in self._draw(placement.group, drawn, share):
                if chosen == placement.id:
                    yield from self._draw(placement.ranges, after, part)
                else:
                    yield None, part, after

    def _draw(
        self, ranges: Ranges[Outcome], drawn: _Drawn, share: float
    ) -> Iterator[tuple[Outcome | None, float, _Drawn]]:
        """Divide a share of users by where one entity's draw falls; a draw that was made before is not made again."""
        entity = ranges.entity_id
        before = next((one for one in drawn if one[0] == entity), None)
        low, high = (0, BUCKETS) if before is None else before[1:]
        others = drawn if before is None else drawn - {before}
        for start, end, outcome in spans(ranges):
            first, after = max(start, low), min(end, high)
            if first < after:
                known = {(entity, first, after)} if entity in self._redrawn else frozenset[tuple[bytes, int, int]]()
                yield outcome, share * (after - first) / (high - low), others | known


def _redrawn(flag: CompiledFlag) -> frozenset[bytes]:
    """The entities of which one user may be drawn twice; only of these the first draw must be remembered."""
    rules = (*flag.experiments, *flag.deliveries)
    placements = [*flag.holdouts, *(one for rule in rules for one in (rule.placement, *rule.local_holdouts))]
    drawn = Counter(placement.ranges.entity_id for placement in placements)
    drawn.update(placement.group.entity_id for placement in placements if placement.group is not None)
    return frozenset(entity for entity, times in drawn.items() if times > 1)


def spans(ranges: Ranges[Outcome]) -> Iterator[tuple[int, int, Outcome | None]]:
    """Every range that holds a bucket: its first bucket, the first one after it, and what it chooses. They cover all.

    Neighbours that choose the same are one.
    """
    pending: tuple[int, int, Outcome | None] | None = None
    for start, end, outcome in _cut(ranges):
        if pending is not None and pending[2] is outcome:
            pending = (pending[0], end, outcome)
            continue
        if pending is not None:
            yield pending
        pending = (start, end, outcome)
    if pending is not None:
        yield pending


def _cut(ranges: Ranges[Outcome]) -> Iterable[tuple[int, int, Outcome | None]]:
    start = 0
    for end, outcome in zip((*ranges.ends, BUCKETS), ranges.outcomes, strict=True):
        # A bucket is whole: the first one that a fractional end does not hold is the next whole number.
        last = BUCKETS if end >= BUCKETS else max(ceil(end), 0)
        if start < last:
            yield start, last, outcome
            start = last
