"""Variables of a flag: their declared types and the typing of their values.

Rules: docs/semantics.md V1 to V4. A value that does not fit its type is null, with a reason, and nothing
raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import Final, NamedTuple

import msgspec

from sidecar.decision.datafile import Entity
from sidecar.decision.entities import FLAG, JSON_ERRORS, Flag, Json, Usage, Variable
from sidecar.limits import DEPTH_MAX
from sidecar.values import Value

_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]{1,19})")
_DOUBLE: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
_SHOWN_CHARACTERS_MAX: Final = 100
_BLANKS: Final = " \t\r\n\f\v"


Complain = Callable[[str, str], None]
"""Takes the path of a flag and one sentence about a value that does not fit its type."""


class _Mistyped(Exception):
    """The text is no value of the variable's type."""


def _integer(text: str) -> Value:
    match = _INTEGER.fullmatch(text.strip(_BLANKS))
    if match is not None:
        number = int(match[1] + match[2])
        if INT64_MIN <= number <= INT64_MAX:
            return number
    raise _Mistyped


def _double(text: str) -> Value:
    digits = text.strip(_BLANKS)
    if _DOUBLE.fullmatch(digits):
        number = float(digits)
        if math.isfinite(number):
            return number
    raise _Mistyped


def _boolean(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    raise _Mistyped


def _json(text: str) -> Value:
    try:
        return _within_bounds(msgspec.json.decode(text), DEPTH_MAX)
    except (*JSON_ERRORS, OverflowError):
        raise _Mistyped from None


def _within_bounds(value: Json, depth: int) -> Value:
    """The same value with integers beyond int64 as doubles, as most JSON readers have them (V2)."""
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return float(value)
    if isinstance(value, list | dict) and depth == 0:
        raise _Mistyped
    if isinstance(value, list):
        return [_within_bounds(child, depth - 1) for child in value]
    if isinstance(value, dict):
        return {key: _within_bounds(child, depth - 1) for key, child in value.items()}
    scalar: Value = value
    return scalar


def _string(text: str) -> Value:
    return text


_TYPES: Final[Mapping[str, Callable[[str], Value]]] = {
    "integer": _integer,
    "double": _double,
    "boolean": _boolean,
    "json": _json,
    "string": _string,
}


class VariableAnswer(NamedTuple):
    """One variable under one decision.

    `type` is integer, double, boolean, json or string (V3). `own` says that the variation itself gives the
    value, not the flag's default; `valid` is false when the text is no value of the type, which is then null.
    """

    value: Value
    type: str
    own: bool
    valid: bool


class FlagVariables:
    """The variables of one flag.

    `defaults` is in datafile order and shared by every decision that uses it.
    """

    __slots__ = ("_by_id", "_complain", "_source", "defaults")

    def __init__(self, flag: Flag, source: Entity | None, complain: Complain) -> None:
        """`source` is where the flag is read again when a value is typed late.

        `complain` takes what does not fit.
        """
        self._source = source
        self._complain = complain
        self._by_id: dict[str, Variable] | None = {variable.id: variable for variable in flag.variables}
        self.defaults: dict[str, Value] = {
            intern(variable.key): self._typed(variable, variable.default_value) for variable in flag.variables
        }

    def __len__(self) -> int:
        return len(self.defaults)

    def settle(self) -> None:
        """Forget the declarations when all that is made ahead is made; later they are read again."""
        self._by_id = None

    def overridden(self, usages: Iterable[Usage]) -> dict[str, Value]:
        """The values under one enabled variation; the defaults themselves when it sets none of them."""
        by_id = self._by_id
        if by_id is None:
            by_id = {variable.id: variable for variable in self._declared()}
        values = {
            variable.key: self._typed(variable, usage.value)
            for usage in usages
            if (variable := by_id.get(usage.id)) is not None
        }
        return {**self.defaults, **values} if values else self.defaults

    def answer(self, variable_key: str, usages: Iterable[Usage]) -> VariableAnswer | None:
        """One variable, typed, with what a variation gives it in `usages`; None when the flag has none of that key."""
        if variable_key not in self.defaults:
            return None
        declared = self._declared()
        variable = next(variable for variable in reversed(declared) if variable.key == variable_key)
        text, own = variable.default_value, False
        by_id = {one.id: one for one in declared}
        for usage in usages:
            used = by_id.get(usage.id)
            if used is not None and used.key == variable_key:
                variable, text, own = used, usage.value, True
        kind = effective_type(variable)
        try:
            return VariableAnswer(_TYPES[kind](text), kind, own, valid=True)
        except _Mistyped:
            return VariableAnswer(None, kind, own, valid=False)

    def problems(self, usages: Sequence[Usage]) -> tuple[str, ...]:
        """Which variables are null because their text is no value of their type, with what a variation gives (V4)."""
        answered = ((key, self.answer(key, usages)) for key in self.defaults)
        return tuple(
            f"variable `{key}` is null: its text is no {answer.type}"
            for key, answer in answered
            if answer is not None and not answer.valid
        )

    def _declared(self) -> Sequence[Variable]:
        """The declarations, read again."""
        assert self._source is not None, "only a flag that was read has values to type"
        return FLAG.read(self._source.raw).variables

    def _typed(self, variable: Variable, text: str) -> Value:
        """The value of a variable's text; null, and one complaint, when it does not fit."""
        kind = effective_type(variable)
        try:
            return _TYPES[kind](text)
        except _Mistyped:
            shown = text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}…"
            place = self._source.path if self._source is not None else ""
            self._complain(place, f"variable `{variable.key}` is null: `{shown}` is no {kind}")
            return None


def value_of(variable: Variable, text: str) -> Value:
    """The value that a text has for a variable; null when it does not fit its type."""
    try:
        return _TYPES[effective_type(variable)](text)
    except _Mistyped:
        return None


def effective_type(variable: Variable) -> str:
    """A string of subtype json is json; a type nobody knows is a string (V3)."""
    if variable.type == "string" and variable.sub_type == "json":
        return "json"
    return variable.type if variable.type in _TYPES else "string"
