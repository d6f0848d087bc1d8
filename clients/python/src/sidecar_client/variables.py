"""The variables of a decision, read by type: `decision.variables.integer("price", 10)`.

A variable that is absent or null is the caller's default; one of another type is an error that names
everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NoReturn, TypeAlias, TypeVar

from sidecar_client.errors import VariableMissing, VariableTypeMismatch

Value: TypeAlias = "None | bool | int | float | str | list[Value] | dict[str, Value]"
"""One attribute, tag, property, trait or variable. Integers are int64 and exact; a bool is never a number."""

Default = TypeVar("Default")


def _own(value: Value) -> Value:
    """The same value, of which no list or dict is anyone else's."""
    return _copied(value) if isinstance(value, (list, dict)) else value


def _copied(value: list[Value] | dict[str, Value]) -> list[Value] | dict[str, Value]:
    if isinstance(value, dict):
        return {key: _own(each) for key, each in value.items()}
    return [_own(each) for each in value]


class _Required:
    """The default of a variable that must be there."""


REQUIRED: Final = _Required()


class Variables(Mapping[str, Value]):
    """The variables of one flag by key, typed as declared; null where a value was not of its type.

    Each typed reader returns the variable; when it is absent or null, `default`; without a default it raises
    VariableMissing. A variable of another type raises VariableTypeMismatch, with or without a default. What is read
    is the reader's own: changing a list or a dict changes no variable.
    """

    __slots__ = ("_values", "flag_key")

    def __init__(self, values: Mapping[str, Value] | None = None, *, flag_key: str = "") -> None:
        self._values = dict(values or {})
        self.flag_key = flag_key

    def __getitem__(self, key: str) -> Value:
        return _own(self._values[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Variables({self._values!r})"

    def string(self, key: str, default: Default | _Required = REQUIRED) -> str | Default:
        """A variable of type string."""
        value = self._values.get(key)
        if isinstance(value, str):
            return value
        return self._absent(key, value, "a string", default)

    def integer(self, key: str, default: Default | _Required = REQUIRED) -> int | Default:
        """A variable of type integer, within int64."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self._absent(key, value, "an integer", default)

    def double(self, key: str, default: Default | _Required = REQUIRED) -> float | Default:
        """A variable of type double. An integer is read as one: in a default, `10` is as good as `10.0`."""
        value = self._values.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        return self._absent(key, value, "a double", default)

    def boolean(self, key: str, default: Default | _Required = REQUIRED) -> bool | Default:
        """A variable of type boolean."""
        value = self._values.get(key)
        if isinstance(value, bool):
            return value
        return self._absent(key, value, "a boolean", default)

    def json(self, key: str, default: Default | _Required = REQUIRED) -> list[Value] | dict[str, Value] | Default:
        """A variable of type json that is an object or an array; a scalar is read by `variables[key]`."""
        value = self._values.get(key)
        if isinstance(value, (list, dict)):
            return _copied(value)
        return self._absent(key, value, "a json object or array", default)

    def _absent(self, key: str, value: Value, wanted: str, default: Default | _Required) -> Default:
        """The default when there is no value; else the error for one of another type."""
        if value is not None:
            self._mismatch(key, value, wanted)
        if isinstance(default, _Required):
            raise VariableMissing(flag_key=self.flag_key, variable_key=key, wanted=wanted)
        return default

    def _mismatch(self, key: str, value: Value, wanted: str) -> NoReturn:
        raise VariableTypeMismatch(flag_key=self.flag_key, variable_key=key, got=value, wanted=wanted)
