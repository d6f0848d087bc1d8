"""An explanation as a tree to read: each rule, what it asked, what it saw, and where the user was drawn.

Shapes: `decision.explained`. Nothing is evaluated here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.decision.answers import RuleType
from sidecar.decision.explained import (
    ConditionKind,
    ExplainedBucketing,
    ExplainedCondition,
    ExplainedRule,
    Explanation,
    RuleResult,
)
from sidecar.decision.trace import in_words

_KINDS: Final = {
    RuleType.FEATURE_TEST: "experiment",
    RuleType.EXPERIMENT: "experiment",
    RuleType.ROLLOUT: "delivery",
    RuleType.HOLDOUT: "holdout",
}
_RESULTS: Final = {
    RuleResult.CHOSEN: "gives variation",
    RuleResult.NOT_REACHED: "is not reached",
    RuleResult.NOT_RUNNING: "does not run",
    RuleResult.AUDIENCE_MISSED: "passes, the user is not in its audience",
    RuleResult.TRAFFIC_MISSED: "passes, its traffic does not hold the user",
    RuleResult.CMAB_UNSUPPORTED: "passes, it is a contextual bandit, which is not supported",
    RuleResult.HELD_OUT: "stands back for a holdout that excludes targeted deliveries",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One line and what stands below it."""

    text: str
    below: Sequence[Node] = ()


def lines(explained: Explanation) -> Iterator[str]:
    """The whole walk, one line each, the outcome first."""
    decision = explained.decision
    variation = f"variation `{decision.variation_key}`" if decision.variation_key else "no variation"
    by = f" by rule `{decision.rule_key}`" if decision.rule_key else ""
    switch = "enabled" if decision.enabled else "disabled"
    yield f"flag `{decision.flag_key}` gives {variation}{by}: {switch}, {decision.reason}"
    yield from _drawn([_rule(rule) for rule in explained.rules], "")


def _drawn(nodes: Sequence[Node], margin: str) -> Iterator[str]:
    for at, node in enumerate(nodes, start=1):
        fork, more = ("└─ ", "   ") if at == len(nodes) else ("├─ ", "│  ")
        yield f"{margin}{fork}{node.text}"
        yield from _drawn(node.below, f"{margin}{more}")


def _rule(rule: ExplainedRule) -> Node:
    said = _RESULTS[rule.result]
    if rule.result is RuleResult.CHOSEN:
        said = f"{said} `{rule.variation_key}`: {rule.reason}"
    elif rule.result is RuleResult.HELD_OUT and rule.rule_type is RuleType.HOLDOUT:
        said = f"holds the user with `{rule.variation_key}` and lets targeted deliveries and the rollout answer"
    elif rule.result is RuleResult.NOT_RUNNING:
        said = f"{said}, its status is `{rule.status}`"
    below = [_rule(holdout) for holdout in rule.local_holdouts]
    if rule.audience is not None:
        below.append(_condition(rule.audience))
    if rule.group_bucketing is not None:
        below.append(_bucketing("group", rule.group_bucketing))
    if rule.bucketing is not None:
        below.append(_bucketing("traffic", rule.bucketing))
    return Node(f"{_KINDS[rule.rule_type]} `{rule.rule_key}` {said}", below)


def _condition(condition: ExplainedCondition) -> Node:
    text = f"{_named(condition)} is {in_words(condition.truth)}"
    if condition.kind is ConditionKind.COMPARISON and condition.match != "qualified":
        text += f": saw {_json(condition.seen)}" if condition.has_seen else ": saw no value"
    if condition.note:
        text += f" ({condition.note})"
    return Node(text, [_condition(child) for child in condition.children])


def _named(condition: ExplainedCondition) -> str:
    match condition.kind:
        case ConditionKind.AUDIENCE:
            return f"audience `{condition.audience_name or condition.audience_id}`"
        case ConditionKind.COMPARISON:
            wanted = f" {_json(condition.wanted)}" if condition.has_wanted else ""
            name = f"`{condition.attribute_key}` " if condition.match != "qualified" else ""
            return f"{name}{condition.match}{wanted}"
        case _:
            return str(condition.kind)


def _bucketing(what: str, drawn: ExplainedBucketing) -> Node:
    """The draw, and below it every range; the one that holds the bucket is marked."""
    ids = f"`{drawn.bucketing_id}` in `{drawn.entity_id}`"
    held = [one for one in drawn.ranges if one.start <= drawn.bucket < one.end][:1]
    where = "in no range" if not held else f"in the range {held[0].start} to {held[0].end}"
    text = f"{what}: {ids} has hash {drawn.hash}, bucket {drawn.bucket}, {where}"
    ranges = [
        Node(
            f"{one.start} to {one.end}: {f'`{one.entity_key or one.entity_id}`' if one.entity_id else 'nobody'}"
            f"{' ←' if one in held else ''}"
        )
        for one in drawn.ranges
    ]
    return Node(text, ranges)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
