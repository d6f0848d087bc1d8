"""Typed configuration: a section is a frozen dataclass with a docstring under each field, declared where it is used.

A field is named once; its YAML key, flag and variable derive from that name: `outbox.bytes_max` is
`outbox: {bytes_max: …}`, `--outbox-bytes-max` and `SIDECAR_OUTBOX_BYTES_MAX`. A field that ends in `_s` is a
duration: its key drops the suffix and takes `5s`, `250ms`, `2m`, `1h` or a number of seconds.

`read` makes a section of a mapping and reports every mistake at once, each with its path. Nothing here knows a section;
`app.settings` composes them. Reference of all fields: docs/configuration.md, generated from the declarations.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sidecar.errors import ConfigInvalid

SectionT = TypeVar("SectionT")

TypeForm: TypeAlias = Any
"""A field's type as annotated: a class, a union, a generic alias. Python 3.11 has no narrower name for these."""

VARIABLE_PREFIX = "SIDECAR_"
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SIZE = re.compile(r"(\d+)(KiB|MiB|GiB)")
_SIZES = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SHOWN_CHARACTERS_MAX = 60
_SERVICE_LINK = re.compile(r"SIDECAR_.+_(SERVICE_(HOST|PORT)(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables of a Service whose name begins with `sidecar-`. Source: Kubernetes, "Accessing the Service"."""
_BOOLEANS = {"true": True, "false": False}


class Secret(str):
    """A string that does not show itself in logs, reprs and errors; `reveal` gives it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return format("…", spec)

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return str.__str__(self)


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One field that a flag or a variable can set. `path` are the YAML keys from the top."""

    path: tuple[str, ...]
    type: TypeForm
    repeatable: bool

    @property
    def flag(self) -> str:
        """`--outbox-bytes-max`."""
        return "--" + "-".join(self.path).replace("_", "-")

    @property
    def variable(self) -> str:
        """`SIDECAR_OUTBOX_BYTES_MAX`."""
        return VARIABLE_PREFIX + "_".join(self.path).upper()


def key_of(field_name: str) -> str:
    """The YAML key of a field: its name, without the unit of a duration."""
    return field_name.removesuffix("_s")


def read(section: type[SectionT], given: Mapping[str, object], where: str = "", beside: Iterable[str] = ()) -> SectionT:
    """Make a section of a mapping of YAML keys; absent keys take the field's default.

    `where` is the path of the mapping, for messages; `beside` are keys that the caller takes out of it first, so that a
    misspelt one is recognised. Raises `ConfigInvalid` with one line for each mistake: an unknown
    key (with the nearest known one), a missing required key, a value of the wrong type or out of its choices.
    """
    problems: list[str] = []
    value = _read_section(section, given, where, problems, beside)
    if problems:
        raise ConfigInvalid(problems)
    return typing.cast("SectionT", value)


def options(section: type, prefix: tuple[str, ...] = ()) -> Iterator[Option]:
    """The fields of a section that flags and variables can set, nested sections included, in declared order.

    Mappings and lists of sections are for the file alone.
    """
    hints = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        path = (*prefix, key_of(field.name))
        inner = _without_none(hints[field.name])
        if dataclasses.is_dataclass(inner):
            yield from options(typing.cast("type", inner), path)
        elif _origin(inner) is tuple:
            item = typing.get_args(inner)[0]
            if item is not object and not dataclasses.is_dataclass(item):
                yield Option(path, item, repeatable=True)
        elif _origin(inner) is not dict:
            yield Option(path, inner, repeatable=False)


def merge(*layers: Mapping[str, object]) -> dict[str, object]:
    """Lay mappings over each other, the last one on top; nested mappings are merged, all else is replaced."""
    merged: dict[str, object] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[key] = merge(below, value)
            else:
                merged[key] = value
    return merged


def from_environment(known: Iterable[Option], environment: Mapping[str, str]) -> dict[str, object]:
    """The mapping that the `SIDECAR_…` variables say; a repeatable one is split at commas.

    Raises `ConfigInvalid` for a variable with the prefix that no field has, but passes over the ones that Kubernetes
    makes for a Service named `sidecar` (`SIDECAR_SERVICE_…`, `SIDECAR_PORT…`) or `sidecar-metrics`, say.
    """
    by_variable = {option.variable: option for option in known}
    found: dict[str, object] = {}
    problems = []
    for variable, text in sorted(environment.items()):
        if not variable.startswith(VARIABLE_PREFIX):
            continue
        option = by_variable.get(variable)
        if option is not None:
            value: object = [part.strip() for part in text.split(",")] if option.repeatable else text
            put(found, option.path, value)
        elif not variable.startswith((VARIABLE_PREFIX + "SERVICE_", VARIABLE_PREFIX + "PORT")) and not (
            _SERVICE_LINK.fullmatch(variable)
        ):
            problems.append(f"variable `{variable}` is unknown{suggestion(variable, by_variable)}")
    if problems:
        raise ConfigInvalid(problems)
    return found


def put(mapping: dict[str, object], path: tuple[str, ...], value: object) -> None:
    """Set a value at a path of keys, making the mappings between."""
    for key in path[:-1]:
        mapping = typing.cast("dict[str, object]", mapping.setdefault(key, {}))
    mapping[path[-1]] = value


def required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def shown(given: object) -> str:
    """A given value as a message may show it: a scalar in backticks, cut short.

    Of others, which may hold a secret, the kind alone.
    """
    if isinstance(given, Mapping):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    text = str(given)
    return f"`{text if len(text) <= _SHOWN_CHARACTERS_MAX else text[: _SHOWN_CHARACTERS_MAX - 1] + '…'}`"


def kind_of(given: object) -> str:
    """What a value is, for a message about one that stands where a mapping should: its text may hold a secret."""
    return shown(given) if isinstance(given, Mapping | list | tuple) else "a single value"


def _read_section(section: type, given: object, where: str, problems: list[str], beside: Iterable[str] = ()) -> object:
    if not isinstance(given, Mapping):
        problems.append(f"{where or 'configuration'} is {kind_of(given)}, wanted a mapping")
        return None
    hints = typing.get_type_hints(section)
    fields = {key_of(field.name): field for field in dataclasses.fields(section)}
    problems.extend(
        f"{_join(where, str(key))} is unknown{suggestion(str(key), (*fields, *beside))}"
        for key in given
        if key not in fields
    )
    before = len(problems)
    values = {}
    for key, field in fields.items():
        place = _join(where, key)
        if key in given and given[key] is not None:
            values[field.name] = _read_value(hints[field.name], given[key], place, field.name, problems)
        elif required(field):
            problems.append(f"{place} is missing, wanted {_wanted(hints[field.name])}")
    if len(problems) > before or any(key not in fields for key in given):
        return None
    try:
        return section(**values)
    except ConfigInvalid as invalid:
        problems.extend(_join(where, problem) for problem in invalid.problems)
        return None
    except ValueError as invalid:
        problems.append(f"{where or 'configuration'}: {invalid}")
        return None


def _read_value(wanted: TypeForm, given: object, where: str, field_name: str, problems: list[str]) -> object:
    wanted = _without_none(wanted)
    origin = _origin(wanted)
    if dataclasses.is_dataclass(wanted):
        return _read_section(typing.cast("type", wanted), given, where, problems)
    if origin is tuple:
        items = given if isinstance(given, list | tuple) else [given]
        item = typing.get_args(wanted)[0]
        return tuple(_read_value(item, value, f"{where}[{at}]", field_name, problems) for at, value in enumerate(items))
    if origin is dict:
        if not isinstance(given, Mapping):
            problems.append(f"{where} is {kind_of(given)}, wanted a mapping")
            return None
        item = typing.get_args(wanted)[1]
        return {
            str(key): _read_value(item, value, _join(where, str(key)), field_name, problems)
            for key, value in given.items()
        }
    value = _read_scalar(wanted, given, field_name)
    if value is None:
        got = "a secret of the wrong type" if wanted is Secret else shown(given)
        problems.append(f"{where} is {got}, wanted {_wanted(wanted, field_name)}")
    return value


def _read_scalar(wanted: TypeForm, given: object, field_name: str) -> object:
    if wanted is object:
        return given
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        if isinstance(given, bool):
            # Why: YAML reads a bare on and off as true and false.
            given = "on" if given else "off"
        return next((member for member in wanted if member.value == given), None)
    if wanted is bool:
        return given if isinstance(given, bool) else _BOOLEANS.get(str(given).lower())
    if isinstance(given, bool | list | Mapping):
        return None
    if wanted in (int, float):
        return _read_number(wanted, given, field_name)
    if wanted in (str, Secret, Path):
        return wanted(given) if isinstance(given, str) else wanted(str(given))
    raise TypeError(f"no rule to read a field of type {wanted!r}")


def _read_number(wanted: type, given: object, field_name: str) -> object:
    text = str(given).strip()
    duration, size = _DURATION.fullmatch(text), _SIZE.fullmatch(text)
    if duration and field_name.endswith("_s"):
        return float(duration[1]) * _UNITS_S[duration[2]]
    if size and "bytes" in field_name:
        return int(size[1]) * _SIZES[size[2]]
    try:
        number = wanted(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _without_none(wanted: TypeForm) -> TypeForm:
    if _origin(wanted) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(wanted) if part is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return wanted


def _wanted(wanted: TypeForm, field_name: str = "") -> str:
    wanted = _without_none(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return "one of " + ", ".join(f"`{member.value}`" for member in wanted)
    if field_name.endswith("_s"):
        return "a duration such as `5s` or `250ms`"
    words = {
        bool: "true or false",
        int: "a whole number, not negative",
        float: "a number, not negative",
        str: "text",
        Secret: "text",
        Path: "a path",
    }
    return words.get(wanted, "a mapping" if dataclasses.is_dataclass(wanted) else "a list")


def _origin(wanted: TypeForm) -> object:
    """What a generic alias is made of, as `tuple` of `tuple[str, ...]`; None for a plain class."""
    return typing.get_origin(wanted)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def suggestion(name: str, known: Iterable[str]) -> str:
    """What follows a name that is unknown: the nearest known one, "" when none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
