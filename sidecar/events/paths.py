r"""Paths into an event (`traits.email`, `properties.products[].name`), and what is done at each, as one tree.

Pure. A path is a root and steps: a key, `*` for every key of a map, `[]` for every item of a list. A backslash takes
the next character as it is: `properties.app\.version`. The tree is made once and walked once an event, so that every
path means the event as it was accepted, whatever another one does. Rules: docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from sidecar.values import Value


class Every(Enum):
    """A step that is no key of its own."""

    KEY = "*"
    ITEM = "[]"


Step: TypeAlias = str | Every

_SEGMENT: Final = re.compile(r"(?:(\*)|((?:\\.|[^\\.*\[\]])+))((?:\[\])*)(\.|$)")
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(slots=True)
class Node:
    """What is done at one place, and below it. `renamed` is the new key, "" for none."""

    dropped: bool = False
    hashed: bool = False
    renamed: str = ""
    keys: dict[str, Node] = field(default_factory=dict)
    every_key: Node | None = None
    every_item: Node | None = None

    def grown(self, steps: Iterable[Step]) -> Node:
        """The node at the end of a path from here, made when it is not there."""
        node = self
        for step in steps:
            if step is Every.KEY:
                node.every_key = node.every_key or Node()
                node = node.every_key
            elif step is Every.ITEM:
                node.every_item = node.every_item or Node()
                node = node.every_item
            else:
                node = node.keys.setdefault(str(step), Node())
        return node


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path, the root first. Raises `ValueError` that says what is wrong with it."""
    steps: list[Step] = []
    at, more = 0, True
    while more:
        found = _SEGMENT.match(text, at)
        if found is None:
            raise ValueError(f"is `{text}`, which is no path at character {at + 1}")
        every, key, items, end = found.groups()
        steps.append(Every.KEY if every else _ESCAPED.sub(r"\1", key))
        steps.extend([Every.ITEM] * (len(items) // 2))
        at, more = found.end(), end == "."
    return tuple(steps)


def reshaped(values: Mapping[str, Value], nodes: Sequence[Node], hashed: Callable[[Value], Value]) -> dict[str, Value]:
    """A map as the nodes want it. A renamed entry takes the place of one that has its new key already."""
    kept: dict[str, Value] = {}
    renamed: dict[str, Value] = {}
    for key, value in values.items():
        here = [below for node in nodes for below in (node.keys.get(key), node.every_key) if below is not None]
        if not here:
            kept[key] = value
        elif not any(node.dropped for node in here):
            new_key = next((node.renamed for node in here if node.renamed), "")
            (renamed if new_key else kept)[new_key or key] = _changed(value, here, hashed)
    return kept | renamed


def _changed(value: Value, nodes: Sequence[Node], hashed: Callable[[Value], Value]) -> Value:
    if any(node.hashed for node in nodes):
        return hashed(value)
    if isinstance(value, dict):
        return reshaped(value, nodes, hashed)
    if isinstance(value, list):
        items = [node.every_item for node in nodes if node.every_item is not None]
        if any(node.dropped for node in items):
            return []
        if items:
            return [_changed(item, items, hashed) for item in value]
    return value
