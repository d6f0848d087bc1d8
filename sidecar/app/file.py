"""The configuration file: YAML as its version 1.2 reads it, and messages that never quote what stands in it.

Why 1.2: version 1.1, which PyYAML reads, takes `off` for false, 0660 for 432 and 12:30 for 750, so that a mode, a key
or an address would become another one without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sidecar.errors import ConfigInvalid

_DECIMAL: Final = r"[-+]?(?:0|[1-9][0-9]*)"
_CORE: Final[Mapping[str, str]] = {
    "merge": r"<<",
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": _DECIMAL,
    "float": rf"{_DECIMAL}(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?",
}
"""Which plain words are no text. Source: https://yaml.org/spec/1.2.2/#103-core-schema, without octal and infinity."""


class _Loader(yaml.SafeLoader):
    """Reads plain words by `_CORE`, and refuses a key that is there twice."""

    # None stands for any first character.
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's name and type for it
        None: [(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{form})$")) for tag, form in _CORE.items()]
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Called for each mapping before it is made."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key `{key.value}` is there twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        super().flatten_mapping(node)


def read_file(file: Path) -> Mapping[str, object]:
    """The mapping in a configuration file; an empty file is an empty one. Raises `ConfigInvalid`."""
    try:
        given: Any = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - `_Loader` is a safe one
    except OSError as unreadable:
        raise ConfigInvalid([f"config file `{file}` cannot be read: {unreadable.strerror}"]) from unreadable
    except UnicodeDecodeError as unreadable:
        raise ConfigInvalid([f"config file `{file}` is no UTF-8 at byte {unreadable.start}"]) from unreadable
    except yaml.YAMLError as broken:
        raise ConfigInvalid([f"config file `{file}` is no YAML: {_fault(broken)}"]) from None
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigInvalid([f"config file `{file}` is a {type(given).__name__}, wanted a mapping"])
    return given


def _fault(broken: yaml.YAMLError) -> str:
    """What and where, without the line itself: it may hold a secret."""
    if isinstance(broken, yaml.MarkedYAMLError) and broken.problem_mark is not None:
        mark = broken.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {broken.problem}"
    return "it holds a character that YAML does not allow"
