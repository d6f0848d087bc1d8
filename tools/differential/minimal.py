"""Cuts a case down to what is needed for its difference: parts are taken away one at a time while it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tools.differential.answers import Case, Json
from tools.differential.running import Difference

TRIES_MAX = 400
"""Comparisons that one case is worth."""


def smallest(difference: Difference, compare: Callable[[Case], Difference | None]) -> Difference:
    """A case from which nothing can be taken without losing the difference in the same fields."""
    tries = 0
    shrunk = True
    while shrunk:
        shrunk = False
        for case in _smaller(difference.case):
            tries += 1
            if tries > TRIES_MAX:
                return difference
            less = _compared(case, compare)
            if less is not None and _is_same(less, difference):
                difference, shrunk = less, True
                break
    return difference


def _is_same(one: Difference, other: Difference) -> bool:
    return (one.fields, one.theirs.problem) == (other.fields, other.theirs.problem)


def _compared(case: Case, compare: Callable[[Case], Difference | None]) -> Difference | None:
    try:
        return compare(case)
    except Exception:  # noqa: BLE001 - a case that is cut too far is not smaller, whatever it raises
        return None


def _smaller(case: Case) -> Iterator[Case]:
    person = case.person
    for lesser in (
        replace(person, forced_decisions={}),
        replace(person, forced_variations={}),
        replace(person, profile=None),
        replace(person, segments=None),
        replace(person, enabled_only=False),
    ):
        if lesser != person:
            yield replace(case, person=lesser)
    for name in person.attributes:
        rest = {key: value for key, value in person.attributes.items() if key != name}
        yield replace(case, person=replace(person, attributes=rest))
    for path in _parts(case.datafile):
        yield replace(case, datafile=_without(case.datafile, path))


def _parts(node: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Elements of lists and optional fields, the largest first."""
    if isinstance(node, list):
        yield from ((*path, place) for place in range(len(node)))
        children: list[tuple[Any, Json]] = list(enumerate(node))
    elif isinstance(node, dict):
        yield from ((*path, key) for key in ("audienceConditions", "cmab") if key in node)
        children = list(node.items())
    else:
        return
    for key, child in children:
        yield from _parts(child, (*path, key))


def _without(datafile: Json, path: tuple[Any, ...]) -> Json:
    smaller = copy.deepcopy(datafile)
    node = smaller
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return smaller
