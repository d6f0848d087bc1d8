"""From a mapping of YAML keys to a section: every mistake at once, each with its path."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

from sidecar.config.secret import Secret
from sidecar.config.types import TypeForm, key_of, origin_of, required, without_none
from sidecar.errors import ConfigInvalid

SectionT = TypeVar("SectionT")

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SIZE = re.compile(r"(\d+)(KiB|MiB|GiB)")
_SIZES = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SHOWN_CHARACTERS_MAX = 60
_BOOLEANS = {"true": True, "false": False}


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
    wanted = without_none(wanted)
    origin = origin_of(wanted)
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


def _wanted(wanted: TypeForm, field_name: str = "") -> str:
    wanted = without_none(wanted)
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


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def suggestion(name: str, known: Iterable[str]) -> str:
    """What follows a name that is unknown: the nearest known one, "" when none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
