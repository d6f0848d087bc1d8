"""How attributes are typed, and which users a number or a file stands for."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from sidecar.cli import people
from sidecar.cli.outcome import Unanswerable
from sidecar.decision import User
from sidecar.values import Value


def given(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    people.add_users(parser)
    return parser.parse_args(arguments)


def users(*arguments: str) -> list[User]:
    return list(people.crowd(given(*arguments)).users)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-7", -7),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("true", True),
        ("false", False),
        ('"5"', "5"),
        ('"a\\"b"', 'a"b'),
        ("007", "007"),
        ("+1", "+1"),
        ("1.2.3", "1.2.3"),
        ("True", "True"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("٣", "٣"),
        ("", ""),
        ('"', '"'),
        ("a=b", "a=b"),
    ],
)
def test_what_an_attribute_is(text: str, value: Value) -> None:
    found = people.traits(given("--attr", f"k={text}")).attributes["k"]
    assert (type(found), found) == (type(value), value)


def test_json_is_as_it_says() -> None:
    found = people.traits(given("--attr-json", 'k={"a": [1, null]}', "--attr-json", "n=null")).attributes
    assert found == {"k": {"a": [1, None]}, "n": None}


def test_as_text_leaves_versions_alone() -> None:
    assert people.traits(given("--attr", "v=2.0", "--as-text", "v")).attributes == {"v": "2.0"}


def test_segments_are_unset_unless_given() -> None:
    assert people.traits(given()).segments is None
    assert people.traits(given("--segments", "")).segments == frozenset()
    assert people.traits(given("--segments", "a,b")).segments == frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--attr", "k"), "--attr is `k`, wanted KEY=VALUE"),
        (("--attr", "=v"), "--attr is `=v`, wanted KEY=VALUE"),
        (("--attr", 'k="\\"'), "--attr k is"),
        (("--attr-json", "k={"), "--attr-json k is `{`, wanted JSON"),
        (("--attr-json", "k=NaN"), "NaN is no JSON"),
        (("--users", "0"), "--users is `0`, wanted 1 to"),
        (("--users", "10000001"), "wanted 1 to 10,000,000"),
        (("--users", "/nowhere/users.csv"), "/nowhere/users.csv cannot be read"),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unanswerable) as wrong:
        users(*arguments)
    assert said in str(wrong.value)


def test_made_up_users_are_always_the_same_ones() -> None:
    assert [user.user_id for user in users("--users", "3", "--attr", "x=1")] == ["user-1", "user-2", "user-3"]
    assert users("--users", "1", "--attr", "x=1")[0].attributes == {"x": 1}


def test_a_file_gives_ids_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text('\ufeffage,user_id,plan,v\n30,5,gold,2.0\n,"a,b",,"""7"""\n', encoding="utf-8")
    first, second = users("--users", str(path), "--attr", "plan=free", "--as-text", "v")
    assert (first.user_id, first.attributes) == ("5", {"age": 30, "plan": "gold", "v": "2.0"})
    assert (second.user_id, second.attributes) == ("a,b", {"plan": "free", "v": '"7"'})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,x\na,1\n", "the header is `id,x`, wanted `user_id`"),
        ("user_id,x,x\na,1,1\n", "each column once"),
        ("", "the header is ``"),
        ("user_id\n", "has no users"),
        ("user_id,x\na,1\nb\n", ":3 has 1 columns, wanted 2"),
        ("user_id,x\n,1\n", ":2 has an empty user_id"),
        ('user_id\n"a" b\n', ":2 is no CSV"),
    ],
)
def test_a_file_that_is_no_list_of_users_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "users.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unanswerable) as wrong:
        users("--users", str(path))
    assert said in str(wrong.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(b"user_id\n\xff\xfe\n")
    with pytest.raises(Unanswerable, match="is no UTF-8 text"):
        users("--users", str(path))
