"""Whom a rule admits, as a value: operators over conditions, with every audience put in its place.

The hot path compiles the same trees to closures (`audiences`, `conditions`); here they are kept as they can be looked
at, for `audit` and `meaning`. Rules: docs/semantics.md C1 to C3, F6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from sidecar.decision.audiences import read_conditions
from sidecar.decision.conditions import OPERATORS, compile_audience, unknown
from sidecar.decision.datafile import Datafile
from sidecar.decision.entities import AUDIENCE, EntityBroken, Json, Rule, depth_of
from sidecar.decision.matches import Condition
from sidecar.limits import CONDITION_DEPTH_MAX


class Leaf(Struct, frozen=True, eq=False, kw_only=True):
    """One condition that somebody can answer.

    `name` is the attribute's key, `match` is `exact` when the datafile gives none.
    """

    name: str
    match: str
    value: Json
    condition: Condition


class Operation(Struct, frozen=True, eq=False):
    """`and`, `or` or `not` of other nodes. `not` has exactly one; `and` of none is true, `or` of none false (C1)."""

    name: str
    operands: tuple[Node, ...]


Node: TypeAlias = "Leaf | Operation | None"
"""None is unknown for every user (C3)."""

EVERYBODY: Final = Operation("and", ())


class AudienceTrees:
    """The trees of one datafile. An audience is read once, however many rules name it."""

    def __init__(self, datafile: Datafile) -> None:
        self._entities = datafile.audiences
        self._read: dict[str, Node] = {}

    def of_rule(self, rule: Rule) -> Node:
        """Whom a rule admits. Raises EntityBroken when an audience cannot be read."""
        tree = rule.audience_ids if rule.audience_conditions is None else rule.audience_conditions
        if tree == []:
            return EVERYBODY
        _check_depth(tree)
        return _tree(tree, self._by_id, OPERATORS.__contains__)

    def of_audience(self, id_: str) -> Node:
        """What the audience of that id asks, unknown when there is none. Raises EntityBroken."""
        if id_ not in self._entities:
            return None
        if id_ not in self._read:
            audience = AUDIENCE.read(self._entities[id_].raw)
            tree = read_conditions(audience, "conditions")
            _check_depth(tree)
            self._read[id_] = _tree(tree, _leaf, lambda _: True)
        return self._read[id_]

    def _by_id(self, node: Json) -> Node:
        named = isinstance(node, str | int | float) and not isinstance(node, bool)
        return self.of_audience(str(node)) if named else None


def canonical(node: Node) -> Json:
    """The same tree as JSON, equal for trees that are written differently and mean the same by C1 and C2.

    Numbers that compare equal are written alike; what an operator with one operand adds is left out.
    """
    if node is None:
        return "unknown"
    if isinstance(node, Leaf):
        name = "" if node.match == "qualified" else node.name
        whole = isinstance(node.value, float) and node.value.is_integer()
        return {node.match: [name, None if node.match == "exists" else int(node.value) if whole else node.value]}
    if node.name != "not" and len(node.operands) == 1:
        return canonical(node.operands[0])
    return [node.name, *map(canonical, node.operands)]


def _check_depth(tree: Json) -> None:
    if depth_of(tree) > CONDITION_DEPTH_MAX:
        raise EntityBroken("", "nested deeper", f"at most {CONDITION_DEPTH_MAX} lists in one another")


def _tree(tree: Json, leaf: Callable[[Json], Node], is_operator: Callable[[str], bool]) -> Node:
    """As `conditions.compile_tree` reads it."""
    if not isinstance(tree, list):
        return leaf(tree)
    named = bool(tree) and isinstance(tree[0], str) and is_operator(tree[0])
    if named and tree[0] not in OPERATORS:
        return None
    name, children = (tree[0], tree[1:]) if named else ("or", tree)
    if name == "not":
        return Operation(name, (_tree(children[0], leaf, is_operator),)) if children else None
    return Operation(name, tuple(_tree(child, leaf, is_operator) for child in children))


def _leaf(node: Json) -> Node:
    condition = compile_audience(node, "", lambda _path, _message: None)
    if condition is unknown or not isinstance(node, dict):
        return None
    name, match = str(node.get("name") or ""), node.get("match") or "exact"
    return Leaf(name=name, match=match, value=node.get("value"), condition=condition)
