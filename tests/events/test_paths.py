"""Paths: what they name, and what is no path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.events.paths import Every, Node, parse, reshaped


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("user_id", ("user_id",)),
        ("traits.email", ("traits", "email")),
        ("properties.products[].name", ("properties", "products", Every.ITEM, "name")),
        ("properties.grid[][]", ("properties", "grid", Every.ITEM, Every.ITEM)),
        ("properties.products.*", ("properties", "products", Every.KEY)),
        ("properties.*.name", ("properties", Every.KEY, "name")),
        (r"properties.app\.version", ("properties", "app.version")),
        (r"properties.a\[\]\*\\", ("properties", r"a[]*" + "\\")),
        ("properties.first name", ("properties", "first name")),
        ("properties.größe", ("properties", "größe")),
    ],
)
def test_path_names_its_steps(path: str, steps: tuple[object, ...]) -> None:
    assert parse(path) == steps


@pytest.mark.parametrize(
    ("path", "character"),
    [("", 1), (".", 1), ("a.", 3), ("a..b", 3), ("a[b]", 1), ("[].a", 1), ("a*", 1), ("a.*b", 3), ("a.b\\", 3)],
)
def test_what_is_no_path_says_from_which_character_on(path: str, character: int) -> None:
    with pytest.raises(ValueError, match=f"no path at character {character}"):
        parse(path)


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4))
def test_every_key_can_be_named_with_backslashes(keys: list[str]) -> None:
    escaped = ("".join(f"\\{c}" if c in "\\.*[]" else c for c in key) for key in keys)
    assert parse(".".join(escaped)) == tuple(keys)


def tree(dropped: str = "", hashed: str = "", **renamed: str) -> Node:
    root = Node()
    for path in dropped.split():
        root.grown(parse(path)).dropped = True
    for path in hashed.split():
        root.grown(parse(path)).hashed = True
    for path, key in renamed.items():
        root.grown(parse(path)).renamed = key
    return root


def done(values: dict[str, Any], node: Node) -> dict[str, Any]:
    return reshaped(values, (node,), lambda value: f"#{value}")


@pytest.mark.parametrize(
    ("values", "node", "after"),
    [
        ({"a": 1, "b": 2}, tree("a"), {"b": 2}),
        ({"a": {"b": {"c": 1, "d": 2}}}, tree("a.b.c"), {"a": {"b": {"d": 2}}}),
        ({"a": [{"n": 1, "p": 2}, {"n": 3}]}, tree("a[].n"), {"a": [{"p": 2}, {}]}),
        ({"a": [1, 2]}, tree(hashed="a[]"), {"a": ["#1", "#2"]}),
        ({"a": [1, 2]}, tree("a[]"), {"a": []}),
        ({"a": {"x": 1, "y": 2}}, tree(hashed="a.*"), {"a": {"x": "#1", "y": "#2"}}),
        ({"x": {"n": 1}, "y": {"n": 2}, "z": 3}, tree("*.n"), {"x": {}, "y": {}, "z": 3}),
        ({"a": {"n": 1, "m": 2}, "b": {"n": 3}}, tree("*.n a.m"), {"a": {}, "b": {}}),
        ({"a": 1}, tree("a.b a[].c"), {"a": 1}),
        ({"a": {"b": 1}}, tree("a[].b"), {"a": {"b": 1}}),
        ({"a": [{"b": 1}]}, tree("a.b"), {"a": [{"b": 1}]}),
        ({"a": 1, "b": 2}, tree(a="b", b="a"), {"b": 1, "a": 2}),
        ({"a": 1, "b": 2}, tree(a="b"), {"b": 1}),
        ({"b": 2, "a": 1}, tree(a="b"), {"b": 1}),
        ({"a": {"c": 1}}, tree(hashed="a.c", a="b"), {"b": {"c": "#1"}}),
    ],
)
def test_each_path_is_of_the_map_as_it_came(values: dict[str, Any], node: Node, after: dict[str, Any]) -> None:
    before = repr(values)
    assert done(values, node) == after
    assert repr(values) == before, "the event itself is not changed"
