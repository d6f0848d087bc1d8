"""Values of Python to `Value` of the contract and back. Exact: an int is int64, a bool is never a number."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from typing import Final

from sidecar_client.pb import value_pb2
from sidecar_client.variables import Value

DEPTH_MAX: Final = 32
"""Nesting of lists and maps in one value; a scalar has depth 0. The sidecar's own bound."""
INT64_MAX: Final = 2**63 - 1
WANTED: Final = "wanted None, bool, int, float, str, list, tuple or dict"


class _Misfit(Exception):
    """A value that has no wire form; collects its path on the way out and becomes TypeError or ValueError."""

    def __init__(self, kind: type[TypeError | ValueError], problem: str) -> None:
        self.kind, self.problem, self.path = kind, problem, ""
        super().__init__(problem)


def put_all(target: MutableMapping[str, value_pb2.Value], values: Mapping[str, object], where: str) -> None:
    """Encode `values` into the map field `target`, called `where` in errors.

    Raises TypeError for a value or key of a type that has no wire form (a Decimal, a datetime, bytes) and
    ValueError for one out of range (an int beyond int64, nesting beyond 32, text that is no Unicode); both
    name the path, as `properties[products][0][price]`.
    """
    try:
        _put_entries(target, values, depth=0)
    except _Misfit as misfit:
        raise misfit.kind(f"{where}{misfit.path} {misfit.problem}") from None


def _put_entries(target: MutableMapping[str, value_pb2.Value], values: Mapping[str, object], depth: int) -> None:
    for key, value in values.items():
        if not isinstance(key, str):
            raise _Misfit(TypeError, f"has a key of type {type(key).__name__} `{key}`, wanted str")
        try:
            _put(target[key], value, depth)
        except _Misfit as misfit:
            misfit.path = f"[{key}]{misfit.path}"
            raise
        except UnicodeEncodeError:
            raise _Misfit(ValueError, f"has a key that is no Unicode text: {key!a}") from None


def _put(target: value_pb2.Value, value: object, depth: int) -> None:
    """Encode one value in place. Order: what is most frequent first, bool before int."""
    if isinstance(value, str):
        try:
            target.string_value = value
        except UnicodeEncodeError:
            raise _Misfit(ValueError, f"is text with a lone surrogate, wanted Unicode: {value!a}") from None
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        if not -INT64_MAX - 1 <= value <= INT64_MAX:
            raise _Misfit(ValueError, f"is `{value}`, wanted an int within int64")
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif value is None:
        target.null_value = value_pb2.NULL_VALUE_UNSPECIFIED
    else:
        _put_nested(target, value, depth)


def _put_nested(target: value_pb2.Value, value: object, depth: int) -> None:
    if not isinstance(value, (list, tuple, Mapping)):
        hint = "; money goes into `revenue`" if isinstance(value, Decimal) else ""
        raise _Misfit(TypeError, f"is {type(value).__name__}, {WANTED}{hint}")
    if depth == DEPTH_MAX:
        raise _Misfit(ValueError, f"is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, Mapping):
        target.map_value.SetInParent()
        _put_entries(target.map_value.fields, value, depth + 1)
        return
    target.list_value.SetInParent()
    for index, element in enumerate(value):
        try:
            _put(target.list_value.values.add(), element, depth + 1)
        except _Misfit as misfit:
            misfit.path = f"[{index}]{misfit.path}"
            raise


def value_of(message: value_pb2.Value) -> Value:
    """The value of a message; one without a kind, or of a kind that this client does not know, is None."""
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "list_value":
        return [value_of(each) for each in message.list_value.values]
    if kind == "map_value":
        return {key: value_of(each) for key, each in message.map_value.fields.items()}
    scalar: Value = getattr(message, kind)
    return scalar
