"""Generates docs/configuration.md from the configuration's declarations: `python -m tools.docs [--check]`.

A field's words are the docstring under it, its key, flag and variable those that `sidecar.config` derives. Nothing
about a field is written here. `--check` changes nothing, names what is stale, and every Markdown link that leads
nowhere (`tools.links`).
"""

import ast
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sidecar import config, limits
from sidecar.app.settings import Settings
from sidecar.config import Option, Secret
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.rules import RulesSection
from sidecar.sources.file import FileSourceSection
from sidecar.sources.http import HttpSourceSection
from sidecar.sources.optimizely import OptimizelySourceSection
from tools import docs_text, links
from tools.checks.tree import ROOT

PATH: Final = ROOT / "docs" / "configuration.md"
SOURCES: Final[Mapping[str, type]] = {
    "path": FileSourceSection,
    "url": HttpSourceSection,
    "sdk_key": OptimizelySourceSection,
}
"""The sections of a datafile's source, by the key that chooses them."""

_WORDS: Final[Mapping[object, str]] = {
    bool: "boolean",
    int: "whole number",
    float: "number",
    str: "text",
    Secret: "secret",
    Path: "path",
    object: "mapping",
}
_SCALES_S: Final = ((3600, "h"), (60, "m"), (1, "s"))
_SCALES_BYTES: Final = ((limits.MIB, "MiB"), (limits.KIB, "KiB"))


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` say what is wrong; returns the exit status."""
    if list(arguments) not in ([], ["--check"]):
        print(f"got `{' '.join(arguments)}`, wanted nothing or --check")
        return 2
    page = render()
    if not arguments:
        PATH.write_text(page, encoding="utf-8")
        return 0
    stale = not PATH.exists() or PATH.read_text(encoding="utf-8") != page
    if stale:
        print(f"{PATH.relative_to(ROOT)} is stale: `make docs` writes it anew")
    broken = list(links.find(links.markdown_sources()))
    for finding in broken:
        print(finding)
    return 1 if stale or broken else 0


def render() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from docs_text.INTRODUCTION.splitlines()
    top = [field for field in dataclasses.fields(Settings) if not _section_of(Settings, field)]
    yield from ["", "## Settings", "", *_table(Settings, top)]
    for field in dataclasses.fields(Settings):
        section = _section_of(Settings, field)
        if section:
            yield from ["", f"## `{field.name}`", "", _sentence(section), ""]
            yield from _table(section, dataclasses.fields(section), (config.key_of(field.name),))
    yield from ["", *docs_text.DATAFILES.splitlines()]
    for key, section in SOURCES.items():
        yield from ["", f"### A datafile with `{key}`", "", _sentence(section), ""]
        yield from _table(section, _own_first(section))
    yield from ["", *docs_text.DESTINATIONS.splitlines()]
    for kind, declared in TYPES.items():
        yield from ["", f"### Destination of type `{kind}`", ""]
        yield from _table(declared.section, _own_first(declared.section))
    yield from ["", *docs_text.RULES.splitlines(), ""]
    yield from _table(RulesSection, dataclasses.fields(RulesSection), ("rules",))
    yield from ["", *docs_text.BOUNDS_INTRODUCTION.splitlines(), "", "| bound | value | what |", "|---|---|---|"]
    for name, what in docs_text.BOUNDS.items():
        yield f"| `{name}` | {_shown(name.lower(), getattr(limits, name))} | {what} |"


def _table(
    section: type, fields: Sequence["dataclasses.Field[Any]"], prefix: tuple[str, ...] | None = None
) -> Iterator[str]:
    """Rows of fields. Flags and variables exist for what `config.options` gives of the settings."""
    options = {option.path: option for option in config.options(Settings)}
    hints, words = typing.get_type_hints(section), docstrings(section)
    yield "| key | type | default | what |"
    yield "|---|---|---|---|"
    for field in fields:
        path = (*(prefix or ()), config.key_of(field.name))
        option = options.get(path) if prefix is not None or section is Settings else None
        what = words[field.name].replace("|", "\\|")
        yield f"| {_names(path, option)} | {_type(field.name, hints[field.name])} | {_default(field)} | {what} |"


def _names(path: tuple[str, ...], option: Option | None) -> str:
    key = f"`{'.'.join(path)}`"
    return f"{key}<br>`{option.flag}`<br>`{option.variable}`" if option else key


def _type(name: str, hint: Any) -> str:  # noqa: ANN401 - an annotation can be anything that typing makes
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _type(name, next(part for part in arguments if part is not type(None)))
    if origin is tuple:
        return f"list of: {_type(name, arguments[0])}"
    if origin is dict:
        return f"mapping of names to: {_type(name, arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(f"`{member.value}`" for member in hint)
    if name.endswith("_s"):
        return "duration"
    if hint is int and "bytes" in name:
        return "size"
    return _WORDS[hint]


def _default(field: "dataclasses.Field[Any]") -> str:
    if config.required(field):
        return "required"
    made = field.default if field.default is not dataclasses.MISSING else None
    if made is None or made in ("", ()):
        return "none"
    if isinstance(made, tuple):
        return ", ".join(_shown(field.name, item) for item in made)
    return _shown(field.name, made)


def _shown(name: str, value: object) -> str:
    """A value as the configuration would have it: `15s`, `512MiB`, `true`."""
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float) and name.endswith("_s"):
        return f"`{_scaled(value, _SCALES_S)}`"
    if isinstance(value, int) and "bytes" in name:
        return f"`{_scaled(value, _SCALES_BYTES)}`"
    if isinstance(value, int):
        return f"{value:,}"
    return f"`{value}`"


def _scaled(value: float, scales: Sequence[tuple[int, str]]) -> str:
    for scale, unit in scales:
        if value >= scale and value % scale == 0:
            return f"{value // scale:.0f}{unit}"
    if scales is _SCALES_S:
        return f"{value * 1000:g}ms"
    return f"{value}"


def _section_of(section: type, field: "dataclasses.Field[Any]") -> type | None:
    hint = typing.get_type_hints(section)[field.name]
    return hint if isinstance(hint, type) and dataclasses.is_dataclass(hint) else None


def _own_first(section: type) -> Sequence["dataclasses.Field[Any]"]:
    """The fields, those that the section declares itself before those that it shares with others."""
    own = section.__annotations__
    fields = dataclasses.fields(section)
    return [field for field in fields if field.name in own] + [field for field in fields if field.name not in own]


def _sentence(section: type) -> str:
    return " ".join((section.__doc__ or "").split())


def docstrings(section: type) -> Mapping[str, str]:
    """The docstring under each field of a dataclass, those of its bases included, on one line each.

    Raises `ValueError` that names a field without one.
    """
    found: dict[str, str] = {}
    for owner in reversed(section.__mro__):
        if dataclasses.is_dataclass(owner):
            found |= _declared(owner)
    missing = [field.name for field in dataclasses.fields(section) if field.name not in found]
    if missing:
        raise ValueError(f"{section.__name__}.{missing[0]} has no docstring under it, wanted one")
    return found


def _declared(owner: type) -> Mapping[str, str]:
    """The docstrings that a class's own source has, by field. Why from the source: Python keeps none of a field."""
    tree = _parsed(inspect.getfile(owner))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner.__name__]
    found = {}
    for pair in pairwise(body):
        match pair:
            case (ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text)))):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


@cache
def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
