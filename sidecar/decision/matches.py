"""The leaves of audiences: one maker per match type, which checks the condition's value once.

What it returns answers true, false, or None for unknown, and never raises; an attribute that is absent or
null has no type and so is unknown (C4). Rules: docs/semantics.md C4 to C13. Types are compared exactly
(`type(x) is str`): attributes hold the types of `sidecar.values.Value`, where a bool is no int.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sidecar.decision import semver
from sidecar.decision.entities import Json
from sidecar.values import Value

Condition = Callable[[Mapping[str, Value], "frozenset[str] | None"], "bool | None"]
"""(attributes, qualified segments or None when unset) to true, false or None for unknown."""
Maker = Callable[[str, Json], Condition]
"""(attribute's key, the condition's value) to a condition. Raises ValueUnusable."""

INTEGER_EXACT_MAX: Final = 2**53
INTEGER_EXACT_MIN: Final = -(2**53)
"""The largest magnitude that counts as a number; beyond it doubles are not exact (C6)."""


class ValueUnusable(Exception):
    """The condition's own value does not suit its match type, so that it is unknown for everybody."""


def is_comparable(value: object) -> bool:
    """A number of magnitude up to 2^53; a bool is none, NaN and infinities are outside."""
    return (type(value) is int or type(value) is float) and INTEGER_EXACT_MIN <= value <= INTEGER_EXACT_MAX


def _exact(name: str, wanted: Json) -> Condition:
    if type(wanted) is str:

        def same_text(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
            seen = attributes.get(name)
            return seen == wanted if type(seen) is str else None

        return same_text
    if type(wanted) is bool:

        def same_bool(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
            seen = attributes.get(name)
            return seen is wanted if type(seen) is bool else None

        return same_bool
    if not is_comparable(wanted):
        raise ValueUnusable("a string, a boolean or a number up to 2^53")
    return _equals(name, wanted)


def one_of(name: str, wanted: Iterable[str]) -> Condition:
    """Any of several exact strings of one attribute: what an `or` of them answers, in one look (C1, C5)."""
    accepted = frozenset(wanted)

    def one_of_texts(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
        seen = attributes.get(name)
        return seen in accepted if type(seen) is str else None

    return one_of_texts


def _ordered(compare: Callable[[Any, Any], bool]) -> Maker:
    """A comparison of numbers (C6, C7)."""

    def make(name: str, wanted: Json) -> Condition:
        if not is_comparable(wanted):
            raise ValueUnusable("a number up to 2^53")

        def compared(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
            seen = attributes.get(name)
            if type(seen) is not int and type(seen) is not float:
                return None
            return compare(seen, wanted) if INTEGER_EXACT_MIN <= seen <= INTEGER_EXACT_MAX else None

        return compared

    return make


_equals: Final = _ordered(operator.eq)


def _substring(name: str, wanted: Json) -> Condition:
    """Whether the user's text holds the condition's (C7)."""
    if type(wanted) is not str:
        raise ValueUnusable("a string")

    def contains(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
        seen = attributes.get(name)
        return wanted in seen if type(seen) is str else None

    return contains


def _version(holds: Callable[[int, int], bool]) -> Maker:
    def make(name: str, wanted: Json) -> Condition:
        target = semver.parse(wanted) if type(wanted) is str else None
        if target is None:
            raise ValueUnusable("a version such as 1.2.3 or 1.2.3-beta")

        def compared(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
            seen = attributes.get(name)
            version = semver.parse(seen) if type(seen) is str else None
            return None if version is None else holds(semver.compare(version, target), 0)

        return compared

    return make


def _exists(name: str, _wanted: Json) -> Condition:
    def exists(attributes: Mapping[str, Value], _segments: frozenset[str] | None) -> bool | None:
        return attributes.get(name) is not None

    return exists


def _qualified(_name: str, wanted: Json) -> Condition:
    if type(wanted) is not str:
        raise ValueUnusable("the name of a segment")

    def qualified(_attributes: Mapping[str, Value], segments: frozenset[str] | None) -> bool | None:
        return segments is not None and wanted in segments

    return qualified


MATCHES: Final[Mapping[str, Maker]] = {
    "exact": _exact,
    "exists": _exists,
    "qualified": _qualified,
    "substring": _substring,
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
    "semver_eq": _version(operator.eq),
    "semver_gt": _version(operator.gt),
    "semver_ge": _version(operator.ge),
    "semver_lt": _version(operator.lt),
    "semver_le": _version(operator.le),
}
