"""The users of a command: attributes of one as arguments, and many as a number or a CSV file.

What is typed how is the same everywhere: docs/commands.md "Attributes".
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from sidecar.cli.outcome import Unanswerable
from sidecar.decision import User
from sidecar.limits import SIMULATED_USERS_MAX
from sidecar.values import Value

USER_ID: Final = "user_id"
DEFAULT_USERS: Final = "10000"
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What all users of a command share. `as_text` are the attributes that stay text."""

    attributes: Mapping[str, Value]
    segments: frozenset[str] | None
    as_text: frozenset[str]


def add_traits(parser: argparse.ArgumentParser) -> None:
    """Declare attributes and segments."""
    parser.add_argument(
        "--attr",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an attribute; numbers and true, false are typed",
    )
    parser.add_argument(
        "--attr-json", metavar="KEY=JSON", action="append", default=[], help="an attribute whose value is JSON"
    )
    parser.add_argument(
        "--as-text", metavar="KEY", action="append", default=[], help="this attribute stays text: version=2.0"
    )
    parser.add_argument("--segments", metavar="A,B", help="the segments that the user is in; unset without")


def traits(given: argparse.Namespace) -> Traits:
    """The attributes and segments of the arguments. Raises Unanswerable."""
    as_text = frozenset(given.as_text)
    attributes: dict[str, Value] = {}
    for argument in given.attr:
        key, text = split("--attr", argument, "KEY=VALUE")
        attributes[key] = text if key in as_text else typed(text, f"--attr {key}")
    for argument in given.attr_json:
        key, text = split("--attr-json", argument, "KEY=JSON")
        attributes[key] = _json(text, f"--attr-json {key}")
    segments = None if given.segments is None else frozenset(filter(None, given.segments.split(",")))
    return Traits(attributes=attributes, segments=segments, as_text=as_text)


def split(option: str, argument: str, wanted: str) -> tuple[str, str]:
    """An argument at its first `=`. Raises Unanswerable when there is none, or nothing before it."""
    key, sign, text = argument.partition("=")
    if not key or not sign:
        raise Unanswerable(f"{option} is `{argument}`, wanted {wanted}")
    return key, text


def typed(text: str, where: str) -> Value:
    """A number, true or false as what it says; text in double quotes, without them; everything else as text.

    Raises Unanswerable, which names `where`, for a quoted text that is no JSON string.
    """
    if text in ("true", "false"):
        return text == "true"
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return float(text) if number["part"] or number["power"] else int(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _json(text, where)
    return text


def add_users(parser: argparse.ArgumentParser) -> None:
    """Declare who is decided for."""
    parser.add_argument(
        "--users",
        metavar="N|FILE",
        default=DEFAULT_USERS,
        help=f"how many users to make up, or a CSV file with a column {USER_ID} ({DEFAULT_USERS})",
    )
    add_traits(parser)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Many users. `count` is None when it is known only at the end; `title` says who they are."""

    users: Iterable[User]
    count: int | None
    title: str


def crowd(given: argparse.Namespace) -> Crowd:
    """The users of `--users`: made up, always the same ones, or read from a file as they are asked for.

    Raises Unanswerable, also while they are read.
    """
    shared = traits(given)
    who: str = given.users
    if not re.fullmatch(r"[0-9]+", who):
        return Crowd(users=_read(Path(who), shared), count=None, title=f"users of {who}")
    count = int(who)
    if not 1 <= count <= SIMULATED_USERS_MAX:
        raise Unanswerable(f"--users is `{who}`, wanted 1 to {SIMULATED_USERS_MAX:,} or a CSV file")
    attributes, segments = shared.attributes, shared.segments
    users = (User(f"user-{number}", attributes, segments) for number in range(1, count + 1))
    named = f"attributes {', '.join(attributes)}" if attributes else "no attributes"
    return Crowd(users=users, count=count, title=f"made-up users with {named}")


def _read(path: Path, shared: Traits) -> Iterator[User]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(file, path, shared)
    except OSError as unreadable:
        raise Unanswerable(f"--users {path} cannot be read: {unreadable.strerror}") from unreadable
    except UnicodeDecodeError as garbled:
        raise Unanswerable(f"--users {path} is no UTF-8 text: {garbled.reason}") from garbled


def _rows(file: TextIO, path: Path, shared: Traits) -> Iterator[User]:
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, [])
        if USER_ID not in header or len(set(header)) < len(header):
            raise Unanswerable(f"{path}: the header is `{','.join(header)}`, wanted `{USER_ID}` and each column once")
        at, count = header.index(USER_ID), 0
        for row in filter(None, reader):
            where, count = f"{path}:{reader.line_num}", count + 1
            if len(row) != len(header):
                raise Unanswerable(f"{where} has {len(row)} columns, wanted {len(header)} as the header")
            if not row[at]:
                raise Unanswerable(f"{where} has an empty {USER_ID}")
            if count > SIMULATED_USERS_MAX:
                raise Unanswerable(f"{path} has more than {SIMULATED_USERS_MAX:,} users, which is the bound")
            own = {
                key: text if key in shared.as_text else typed(text, f"{where} {key}")
                for key, text in zip(header, row, strict=True)
                if text and key != USER_ID
            }
            yield User(row[at], {**shared.attributes, **own}, shared.segments)
        if not count:
            raise Unanswerable(f"{path} has no users, wanted one in each line below the header")
    except csv.Error as broken:
        raise Unanswerable(f"{path}:{reader.line_num} is no CSV: {broken}") from broken


def _json(text: str, where: str) -> Value:
    try:
        value: Value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as broken:
        raise Unanswerable(f"{where} is `{text}`, wanted JSON: {broken}") from broken
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
