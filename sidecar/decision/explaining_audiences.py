"""Evaluates the audience of a rule node by node, all of it, also where a decision would have stopped early.

Each comparison is answered by the condition that decisions use, each operator by theirs. Rules: docs/semantics.md C1 to
C13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sidecar.decision.audiences import read_conditions
from sidecar.decision.conditions import OPERATORS, combined, compile_audience, operator_of
from sidecar.decision.datafile import Datafile
from sidecar.decision.entities import AUDIENCE, EntityBroken, Json, Rule
from sidecar.decision.explained import ConditionKind, ExplainedCondition
from sidecar.decision.matches import is_comparable
from sidecar.decision.user import User
from sidecar.values import Value

LEVELS_MAX: Final = 64
"""Levels of one audience that are shown; a message may not nest much deeper than that."""
_NO_VALUE: Final = ("exists",)
_DEEPER: Final = "what is below is evaluated and not shown"

_Leaf = Callable[[Json, int], ExplainedCondition]


class AudienceExplainer:
    """Explains audiences of one datafile for one user."""

    def __init__(self, datafile: Datafile, user: User) -> None:
        self._audiences, self._user = datafile.audiences, user

    def of_rule(self, rule: Rule) -> ExplainedCondition | None:
        """The audience of a rule; None when it admits everybody (C1)."""
        tree = rule.audience_ids if rule.audience_conditions is None else rule.audience_conditions
        return None if tree == [] else self._tree(tree, self._audience, OPERATORS.__contains__, 1)

    def _tree(self, tree: Json, leaf: _Leaf, is_operator: Callable[[str], bool], level: int) -> ExplainedCondition:
        if not isinstance(tree, list):
            return leaf(tree, level)
        name, first = operator_of(tree, is_operator)
        if name not in OPERATORS:
            return leaf(name, level)
        children = tuple(self._tree(child, leaf, is_operator, level + 1) for child in tree[first:])
        truth = combined(name, [_constant(child.truth) for child in children])({}, None)
        node = ExplainedCondition(kind=ConditionKind(name.upper()), truth=truth, children=children)
        if truth is None and not children:
            node = replace(node, note=f"`{name}` has no operand")
        return _shown(node, level)

    def _audience(self, node: Json, level: int) -> ExplainedCondition:
        id_ = str(node)
        found = ExplainedCondition(kind=ConditionKind.AUDIENCE, truth=None, audience_id=id_)
        entity = self._audiences.get(id_)
        if isinstance(node, bool) or not isinstance(node, str | int | float) or entity is None:
            return replace(found, note=f"the datafile has no audience `{id_}`")
        try:
            audience = AUDIENCE.read(entity.raw)
            conditions = read_conditions(audience, "conditions")
        except EntityBroken as broken:
            return replace(found, note=str(broken))
        tree = self._tree(conditions, self._comparison, lambda _: True, level + 1)
        return _shown(
            replace(found, truth=tree.truth, audience_name=audience.name or id_, children=(tree,)),
            level,
        )

    def _comparison(self, node: Json, _level: int) -> ExplainedCondition:
        user = self._user
        problems: list[str] = []
        condition = compile_audience(node, "", lambda _path, problem: problems.append(problem))
        truth = condition(user.attributes, user.qualified_segments)
        if not isinstance(node, dict):
            return ExplainedCondition(kind=ConditionKind.COMPARISON, truth=truth, note=problems[0])
        name, match, wanted = str(node.get("name") or ""), str(node.get("match") or "exact"), node.get("value")
        seen = user.attributes.get(name)
        comparable = not isinstance(seen, list | dict)
        return ExplainedCondition(
            kind=ConditionKind.COMPARISON,
            truth=truth,
            attribute_key=name,
            match=match,
            wanted=None if isinstance(wanted, list | dict) else wanted,
            has_wanted=match not in _NO_VALUE and "value" in node and not isinstance(wanted, list | dict),
            seen=seen if comparable else None,
            has_seen=name in user.attributes and comparable,
            note=(problems[0] if problems else _why_unknown(user, name, match)) if truth is None else "",
        )


def _shown(node: ExplainedCondition, level: int) -> ExplainedCondition:
    """A node at the last level that is shown stands without what is below it."""
    if level < LEVELS_MAX or not node.children:
        return node
    return replace(node, children=(), note=f"{node.note}; {_DEEPER}" if node.note else _DEEPER)


def _constant(truth: bool | None) -> Callable[..., bool | None]:  # noqa: FBT001 - the value itself, not a switch
    return lambda _attributes, _segments: truth


def _why_unknown(user: User, name: str, match: str) -> str:
    """Why a condition that suits its match cannot be answered: the user's value is to blame (C4 to C8)."""
    if name not in user.attributes:
        return f"the user has no attribute `{name}`"
    seen = user.attributes[name]
    if seen is None:
        return f"the user's `{name}` is null"
    if isinstance(seen, float) and not math.isfinite(seen):
        return f"the user's `{name}` is not a finite number"
    if type(seen) in (int, float) and not is_comparable(seen):
        return f"the user's `{name}` is beyond ±2^53, where doubles are not exact"
    if type(seen) is str and match.startswith("semver_"):
        return f"the user's `{name}` is no version"
    return f"the user's `{name}` is {_kind(seen)}, which the condition does not compare"


def _kind(seen: Value) -> str:
    kinds = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a map"}
    return kinds[type(seen)]
