"""The walk of one decision as a caller sees it: rules, their conditions, where the user was bucketed. Frozen values.

Nothing here knows protobuf or a transport. The meaning of each field is fixed by proto/sidecar/v1/explain.proto; the
words of an enum are those of the contract without their prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar_client.decisions import Decision, Reason, RuleType
from sidecar_client.variables import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRange:
    """The buckets start_bucket ≤ bucket < end_bucket, in hundredths of a percent of traffic."""

    start_bucket: int
    end_bucket: int
    entity_id: str
    entity_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucketing:
    """One draw: what was hashed, the hash, its bucket, and the entity whose range holds it; empty = none."""

    bucketing_id: str
    entity_id: str
    hash: int
    bucket: int
    ranges: tuple[BucketRange, ...]
    chosen_entity_id: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A value that stood in a comparison. A class of its own, since null is a value, and none is None."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One node of an audience: `kind` is AND, OR, NOT, AUDIENCE or COMPARISON, `truth` TRUE, FALSE or UNKNOWN."""

    kind: str
    truth: str
    children: tuple[Condition, ...] = ()
    audience_id: str = ""
    audience_name: str = ""
    attribute_key: str = ""
    match: str = ""
    wanted: Compared | None = None
    seen: Compared | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """One rule or holdout as it was tried; `result` is as `CHOSEN` or `AUDIENCE_MISSED`."""

    rule_key: str
    rule_id: str
    rule_type: RuleType
    result: str
    reason: Reason
    variation_key: str
    status: str
    local_holdouts: tuple[ExplainedRule, ...]
    audience: Condition | None
    group_bucketing: Bucketing | None
    bucketing: Bucketing | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a user gets a variation. Nothing was recorded for it."""

    decision: Decision
    revision: str
    bucketing_id: str
    makes_impression: bool
    rules: tuple[ExplainedRule, ...]
