"""Trees of conditions compiled to closures with three-valued logic.

Two kinds of tree share the operators: an audience's, whose leaves are conditions, and a rule's, whose leaves
are audience ids. Compiling never raises for any JSON (C3). Rules: docs/semantics.md C1 to C13.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sidecar.decision.entities import Json
from sidecar.decision.matches import MATCHES, Condition, ValueUnusable, one_of
from sidecar.decision.trace import Trace
from sidecar.values import Value

Warn = Callable[[str, str], None]
"""Takes a path relative to the tree and what is wrong there."""
Leaf = Callable[[Json, str], Condition]
"""Compiles one leaf, given with its path."""

Fuse = Callable[[Sequence[Json]], "Condition | None"]
"""Makes one condition of all operands of an `or`, where that is possible."""

OPERATORS: Final = frozenset({"and", "or", "not"})
_TYPES: Final = frozenset({"custom_attribute", "third_party_dimension"})


def unknown(_attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
    """The condition that nobody can answer."""
    return None


def compile_tree(
    tree: Json, path: str, leaf: Leaf, is_operator: Callable[[str], bool], fuse: Fuse | None = None
) -> Condition:
    """Compile lists as operators and everything else as leaves.

    `is_operator` says whether the string that begins a list is meant as one; a list without is an `or` (C2).
    """
    if not isinstance(tree, list):
        return leaf(tree, path)
    name, first = operator_of(tree, is_operator)
    if name not in OPERATORS:
        return leaf(name, f"{path}[0]")
    fused = fuse(tree[first:]) if fuse is not None and name == "or" else None
    if fused is not None:
        return fused
    operands = [
        compile_tree(child, f"{path}[{index}]", leaf, is_operator, fuse)
        for index, child in enumerate(tree[first:], start=first)
    ]
    return combined(name, operands)


def operator_of(tree: Sequence[Json], is_operator: Callable[[str], bool]) -> tuple[str, int]:
    """The operator of a list and the index of its first operand; an `or` when none is named (C2).

    A name that is meant as an operator and is none comes back as it is.
    """
    if tree and isinstance(tree[0], str) and is_operator(tree[0]):
        return tree[0], 1
    return "or", 0


def combined(name: str, operands: Sequence[Condition]) -> Condition:
    """One condition of several, by the name of an operator (C1)."""
    if name == "not":
        return _negation(operands[0]) if operands else unknown
    if len(operands) == 1:
        # One operand alone is its own `and` and `or`, unknown included.
        return operands[0]
    return _conjunction(tuple(operands)) if name == "and" else _disjunction(tuple(operands))


def _conjunction(operands: tuple[Condition, ...]) -> Condition:
    if len(operands) == 2:  # noqa: PLR2004 - the most common audience, in half the time
        first, second = operands

        def both(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
            one = first(attributes, segments)
            if one is False:
                return False
            other = second(attributes, segments)
            return other if one is True or other is False else None

        return both

    def every(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        answer: bool | None = True
        for operand in operands:
            one = operand(attributes, segments)
            if one is False:
                return False
            if one is None:
                answer = None
        return answer

    return every


def _disjunction(operands: tuple[Condition, ...]) -> Condition:
    def some(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        answer: bool | None = False
        for operand in operands:
            one = operand(attributes, segments)
            if one is True:
                return True
            if one is None:
                answer = None
        return answer

    return some


def _negation(operand: Condition) -> Condition:
    def inverse(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        answer = operand(attributes, segments)
        return None if answer is None else not answer

    return inverse


def compile_audience(tree: Json, path: str, warn: Warn, trace: Trace | None = None) -> Condition:
    """Compile an audience's tree. With a trace, each leaf writes down what it saw."""

    def leaf(node: Json, place: str) -> Condition:
        condition = _compile_leaf(node, place, warn)
        return condition if trace is None else _observed(condition, node, trace)

    # Observed leaves stay apart, so that each says what it saw.
    return compile_tree(tree, path, leaf, lambda _: True, _one_of if trace is None else None)


def _one_of(operands: Sequence[Json]) -> Condition | None:
    """An `or` of exact strings of one attribute, which lists of countries or plans usually are."""
    if not operands or not all(_is_exact_text(node) for node in operands):
        return None
    names = {node.get("name") for node in operands}
    return one_of(sys.intern(names.pop()), (node["value"] for node in operands)) if len(names) == 1 else None


def _is_exact_text(node: Json) -> bool:
    return (
        isinstance(node, dict)
        and node.get("match") in (None, "exact")
        and isinstance(node.get("value"), str)
        and isinstance(node.get("name"), str)
        and isinstance(node.get("type"), str)
        and node["type"] in _TYPES
    )


def _compile_leaf(node: Json, path: str, warn: Warn) -> Condition:
    if not isinstance(node, dict):
        warn(path, f"`{node}` is no operator and no condition; it is unknown for every user")
        return unknown
    kind, match, wanted = node.get("type"), node.get("match"), node.get("value")
    if not isinstance(kind, str) or kind not in _TYPES:
        warn(f"{path}.type", f"`{kind}` is no known condition type; the condition is unknown for every user")
        return unknown
    name = sys.intern(str(node.get("name") or ""))
    if match is None:
        match = "exact"
    make = MATCHES.get(match) if isinstance(match, str) else None
    if make is None:
        warn(f"{path}.match", f"`{match}` is no known match type; the condition is unknown for every user")
        return unknown
    try:
        return make(name, wanted if type(wanted) is not str else sys.intern(wanted))
    except ValueUnusable as error:
        warn(
            f"{path}.value",
            f"`{wanted}` does not suit `{match}`, wanted {error}; it is unknown for every user",
        )
        return unknown


def _observed(condition: Condition, node: Json, trace: Trace) -> Condition:
    name = str(node.get("name") or "") if isinstance(node, dict) else ""
    words = in_words(node)

    def observed(attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        answer = condition(attributes, segments)
        trace.condition(words, name, attributes.get(name), answer=answer)
        return answer

    return observed


def in_words(node: Json) -> str:
    """One leaf, readable: `country` exact "us"."""
    if not isinstance(node, dict):
        return f"`{node}`"
    match = node.get("match") or "exact"
    if match == "exists":
        return f"`{node.get('name')}` exists"
    return f"`{node.get('name')}` {match} {json.dumps(node.get('value'), ensure_ascii=False)}"
