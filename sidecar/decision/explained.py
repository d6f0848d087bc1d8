"""The walk of one decision as values: what `explaining` makes, for `Explain` and for `sidecar explain`.

What each means stands in proto/sidecar/v1/explain.proto, whose shapes these have. Pure values, no rule is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sidecar.decision.answers import Decision, Reason, RuleType
from sidecar.values import Value


class RuleResult(StrEnum):
    """What became of one rule in the walk."""

    CHOSEN = "CHOSEN"
    NOT_REACHED = "NOT_REACHED"
    NOT_RUNNING = "NOT_RUNNING"
    AUDIENCE_MISSED = "AUDIENCE_MISSED"
    TRAFFIC_MISSED = "TRAFFIC_MISSED"
    CMAB_UNSUPPORTED = "CMAB_UNSUPPORTED"
    HELD_OUT = "HELD_OUT"


class ConditionKind(StrEnum):
    """What a node of an audience is."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    AUDIENCE = "AUDIENCE"
    COMPARISON = "COMPARISON"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedCondition:
    """One node of an audience; `truth` is None for unknown, and then `note` says why where the node itself is to blame.

    `has_wanted` and `has_seen` tell a null from nothing. The fields of other kinds are empty.
    """

    kind: ConditionKind
    truth: bool | None
    children: tuple[ExplainedCondition, ...] = ()
    audience_id: str = ""
    audience_name: str = ""
    attribute_key: str = ""
    match: str = ""
    wanted: Value = None
    has_wanted: bool = False
    seen: Value = None
    has_seen: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRange:
    """One range of traffic: `start` ≤ bucket < `end`, 0 to 10,000. Empty id = nobody, empty key = or unknown."""

    start: int
    end: int
    entity_id: str
    entity_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedBucketing:
    """One draw. 0 ≤ `hash` < 2^32, 0 ≤ `bucket` < 10,000; `chosen_entity_id` is empty when nobody's range holds it."""

    bucketing_id: str
    entity_id: str
    hash: int
    bucket: int
    ranges: tuple[ExplainedRange, ...]
    chosen_entity_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """One rule or holdout as it was tried; `reason` is None when it chose no variation."""

    rule_key: str
    rule_id: str
    rule_type: RuleType
    result: RuleResult
    status: str
    reason: Reason | None = None
    variation_key: str = ""
    local_holdouts: tuple[ExplainedRule, ...] = ()
    audience: ExplainedCondition | None = None
    group_bucketing: ExplainedBucketing | None = None
    bucketing: ExplainedBucketing | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How one flag was decided for one user: global holdouts, experiment rules, delivery rules, also those not reached.

    `reasons` is the whole walk in English, in order.
    """

    decision: Decision
    bucketing_id: str
    rules: tuple[ExplainedRule, ...]
    reasons: tuple[str, ...]
