"""Shows one draw of a user: what was hashed, the bucket, the ranges and which of them holds it. Rules: B1 to B5, D7."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from math import ceil

from sidecar.decision.bucketing import BUCKETS, Outcome, Ranges, bucket, hash_of
from sidecar.decision.datafile import Datafile
from sidecar.decision.entities import IDENTITY, Allocation, EntityBroken, Rule
from sidecar.decision.explained import ExplainedBucketing, ExplainedRange
from sidecar.decision.placement import Arm, Placement
from sidecar.decision.user import User


def draw(placement: Placement, rule: Rule, user: User) -> ExplainedBucketing:
    """The choice of the variation; `rule` is the placement as the datafile has it."""
    return _draw(placement.ranges, user, _entities(rule.traffic_allocation), _of_arm)


def draw_of_group(group: Ranges[str], user: User, datafile: Datafile) -> ExplainedBucketing:
    """The choice of one experiment of a group (B4)."""

    def named(experiment_id: str) -> tuple[str, str]:
        entity = datafile.experiments.get(experiment_id)
        try:
            return experiment_id, "" if entity is None else IDENTITY.read(entity.raw).key
        except EntityBroken:
            return experiment_id, ""

    return _draw(group, user, (), named)


def _of_arm(arm: Arm) -> tuple[str, str]:
    return arm.id, arm.key


def _draw(
    ranges: Ranges[Outcome], user: User, entity_ids: Iterable[str], named: Callable[[Outcome], tuple[str, str]]
) -> ExplainedBucketing:
    """`entity_ids` are those of the ranges as written, for ranges whose entity the datafile does not have."""
    entity_id = ranges.entity_id.decode()
    chosen = ranges.choose(user.bucketing_bytes)
    spans = []
    start = 0
    for range_end, outcome, written in zip_longest(ranges.ends, ranges.outcomes[:-1], entity_ids):
        end = _bucket_of(range_end)
        id_, key = (written or "", "") if outcome is None else named(outcome)
        spans.append(ExplainedRange(start=start, end=end, entity_id=id_, entity_key=key))
        start = end
    return ExplainedBucketing(
        bucketing_id=user.bucketing_id,
        entity_id=entity_id,
        hash=hash_of(user.bucketing_id, entity_id),
        bucket=bucket(user.bucketing_id, entity_id),
        ranges=tuple(spans),
        chosen_entity_id="" if chosen is None else named(chosen)[0],
    )


def _entities(allocations: Sequence[Allocation]) -> Iterator[str]:
    """The entities of the ranges that hold buckets, as `bucketing.ranges` keeps them."""
    last: float | None = None
    for allocation in allocations:
        if last is None or allocation.end_of_range > last:
            last = allocation.end_of_range
            yield allocation.entity_id


def _bucket_of(end_of_range: float) -> int:
    """The first whole bucket at or after the end of a range, 0 to 10,000."""
    # Why the least first: an end of hundreds of digits is no float.
    return max(0, ceil(min(end_of_range, BUCKETS)))
