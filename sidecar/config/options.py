"""The fields that flags and variables can set, and the mapping that each layer says."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Iterator, Mapping

from sidecar.config.reading import suggestion
from sidecar.config.types import TypeForm, key_of, origin_of, without_none
from sidecar.errors import ConfigInvalid

VARIABLE_PREFIX = "SIDECAR_"
_OTHERS = (VARIABLE_PREFIX + "SERVICE_", VARIABLE_PREFIX + "PORT", VARIABLE_PREFIX + "CLIENT_")
"""What variables begin with that are not the daemon's: Kubernetes', and its clients'."""
_SERVICE_LINK = re.compile(r"SIDECAR_.+_(SERVICE_(HOST|PORT)(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables of a Service whose name begins with `sidecar-`. Source: Kubernetes, "Accessing the Service"."""


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


def options(section: type, prefix: tuple[str, ...] = ()) -> Iterator[Option]:
    """The fields of a section that flags and variables can set, nested sections included, in declared order.

    Mappings and lists of sections are for the file alone.
    """
    hints = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        path = (*prefix, key_of(field.name))
        inner = without_none(hints[field.name])
        if dataclasses.is_dataclass(inner):
            yield from options(typing.cast("type", inner), path)
        elif origin_of(inner) is tuple:
            item = typing.get_args(inner)[0]
            if item is not object and not dataclasses.is_dataclass(item):
                yield Option(path, item, repeatable=True)
        elif origin_of(inner) is not dict:
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
    makes for a Service named `sidecar` (`SIDECAR_SERVICE_…`, `SIDECAR_PORT…`) or `sidecar-metrics`, say, and those of
    clients (`SIDECAR_CLIENT_…`), which share an environment with it in a development shell.
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
        elif not variable.startswith(_OTHERS) and not _SERVICE_LINK.fullmatch(variable):
            problems.append(f"variable `{variable}` is unknown{suggestion(variable, by_variable)}")
    if problems:
        raise ConfigInvalid(problems)
    return found


def put(mapping: dict[str, object], path: tuple[str, ...], value: object) -> None:
    """Set a value at a path of keys, making the mappings between."""
    for key in path[:-1]:
        mapping = typing.cast("dict[str, object]", mapping.setdefault(key, {}))
    mapping[path[-1]] = value
