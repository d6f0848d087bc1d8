"""Whether anybody at all can be in an audience. Sound, not complete: it says nobody only when that is certain.

A search over the ways in which a tree can be true: which conditions must hold, which must fail. Each way is given up
at the first contradiction about one attribute; past a bound of steps the answer is that somebody may match. Unknown is
neither: a condition that must fail needs an attribute of the right type too. Rules: docs/semantics.md C1 to C13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from sidecar.decision.audience_tree import Leaf, Node, Operation
from sidecar.decision.matches import INTEGER_EXACT_MAX, INTEGER_EXACT_MIN
from sidecar.values import Value

STEPS_MAX: Final = 2_000
"""Nodes looked at before the search gives up."""

_Goals: TypeAlias = "tuple[tuple[Node, bool], _Goals] | None"
"""What is still to be made true or false, as a linked list: ways share their tails."""
_Asked: TypeAlias = "tuple[tuple[Leaf, bool], _Asked] | None"
"""Conditions with the answers that they must have."""

_TEXT: Final = frozenset({"substring", "semver_eq", "semver_gt", "semver_ge", "semver_lt", "semver_le"})
_ORDER: Final = frozenset({"gt", "ge", "lt", "le"})


def nobody_matches(tree: Node) -> bool:
    """Whether no user can make the tree true, whatever attributes and segments there are."""
    ways: list[tuple[_Goals, _Asked]] = [(((tree, True), None), None)]
    for _ in range(STEPS_MAX):
        if not ways:
            return True
        goals, asked = ways.pop()
        if goals is None:
            return False
        (node, truth), rest = goals
        if node is None:
            continue
        if isinstance(node, Leaf):
            asked = ((node, truth), asked)
            if _is_possible([one for one in _listed(asked) if _subject(one[0]) == _subject(node)]):
                ways.append((rest, asked))
        else:
            ways += [(more, asked) for more in _below(node, truth, rest)]
    return False


def _below(node: Operation, truth: bool, rest: _Goals) -> Iterator[_Goals]:  # noqa: FBT001 - the wanted answer
    """What has to be reached instead of a truth of an operation: one list of goals for each way there is."""
    if node.name == "not":
        yield ((node.operands[0], not truth), rest)
    elif (node.name == "and") is truth:
        for operand in node.operands:
            rest = ((operand, truth), rest)
        yield rest
    else:
        for operand in node.operands:
            yield ((operand, truth), rest)


def _listed(asked: _Asked) -> Iterator[tuple[Leaf, bool]]:
    while asked is not None:
        one, asked = asked
        yield one


def _subject(leaf: Leaf) -> tuple[str, str]:
    """What two conditions can contradict each other about: one attribute, or one segment."""
    return ("segment", str(leaf.value)) if leaf.match == "qualified" else ("attribute", leaf.name)


def _is_possible(asked: Sequence[tuple[Leaf, bool]]) -> bool:
    """Whether one value, or its absence, may give all these conditions of one subject their answers."""
    if asked[0][0].match == "qualified":
        return len({truth for _, truth in asked}) == 1
    if any(leaf.match == "exists" and not truth for leaf, truth in asked):
        # Absent: `exists` is the only condition with an answer (C4).
        return not any(leaf.match != "exists" or truth for leaf, truth in asked)
    compared = [(leaf, truth) for leaf, truth in asked if leaf.match != "exists"]
    kinds = {_kind(leaf) for leaf, _ in compared}
    if len(kinds) > 1:
        return False
    if kinds == {bool}:
        return any(_holds(compared, value) for value in (True, False))
    for leaf, truth in compared:
        if leaf.match == "exact" and truth:
            return _holds(compared, leaf.value)
    return _has_number(compared) if kinds == {float} else _has_text(compared)


def _holds(asked: Sequence[tuple[Leaf, bool]], value: Value) -> bool:
    return all(leaf.condition({leaf.name: value}, None) is truth for leaf, truth in asked)


def _kind(leaf: Leaf) -> type:
    """The type that an attribute must have for the condition to be true or false."""
    if leaf.match in _TEXT:
        return str
    if leaf.match in _ORDER or type(leaf.value) in (int, float):
        return float
    return type(leaf.value)


def _has_number(asked: Sequence[tuple[Leaf, bool]]) -> bool:
    """Whether a number is left between the bounds, none of which is an exact value that must hold."""
    # Below: (bound, whether it is left out); above: (bound, whether it is kept). So the tighter of two sorts inwards.
    low: tuple[float, bool] = (INTEGER_EXACT_MIN, False)
    high: tuple[float, bool] = (INTEGER_EXACT_MAX, True)
    for leaf, truth in asked:
        match leaf.match, truth:
            case ("gt", True) | ("le", False):
                low = max(low, (leaf.value, True))
            case ("ge", True) | ("lt", False):
                low = max(low, (leaf.value, False))
            case ("lt", True) | ("ge", False):
                high = min(high, (leaf.value, False))
            case ("le", True) | ("gt", False):
                high = min(high, (leaf.value, True))
            case _:
                # An exact value that must not be: it leaves room wherever there is more than one value.
                pass
    (least, left_out), (most, kept) = low, high
    if least != most:
        return least < most
    return not left_out and kept and _holds(asked, least)


def _has_text(asked: Sequence[tuple[Leaf, bool]]) -> bool:
    """Whether a text may hold what it must and lack what it must not; versions are not looked into."""
    within = [str(leaf.value) for leaf, truth in asked if leaf.match == "substring" and truth]
    without = [str(leaf.value) for leaf, truth in asked if leaf.match == "substring" and not truth]
    return not any(lack == "" or any(lack in part for part in within) for lack in without)
