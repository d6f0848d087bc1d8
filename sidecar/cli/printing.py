"""Answers as text and JSON, and progress for whoever watches a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO, TypeVar

_REDRAW_S: Final = 0.1
_REDRAW_USERS: Final = 256
"""Users between two looks at the clock."""

One = TypeVar("One")


def print_json(answer: object) -> None:
    """Print a value as JSON, indented by two."""
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def print_lines(lines: Iterable[str]) -> None:
    """Print each line and end it."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def table(rows: Sequence[Sequence[str]], *, left: int = 1) -> Iterator[str]:
    """Rows of equal length as aligned lines; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(widths[at]) if at < left else text.rjust(widths[at]) for at, text in enumerate(row)]
        yield "  ".join(cells).rstrip()


def percent(share: float) -> str:
    """A share of 0 to 1 as a percentage with two digits after the point."""
    return f"{share * 100:.2f}%"


def watched(users: Iterable[One], wanted: int | None, screen: TextIO | None = None) -> Iterator[One]:
    """Hand users on, and draw on a terminal how many there were so far; on anything else draw nothing.

    `wanted` is how many there will be, None when that is not known. `screen` is standard error unless given.
    """
    screen = sys.stderr if screen is None else screen
    if not screen.isatty():
        yield from users
        return
    of_all = "" if wanted is None else f" of {wanted:,}"
    drawn_at = 0.0
    for count, user in enumerate(users):
        if count % _REDRAW_USERS == 0 and time.monotonic() - drawn_at >= _REDRAW_S:
            drawn_at = time.monotonic()
            screen.write(f"\r{count:,}{of_all} users")
            screen.flush()
        yield user
    # Blank the line, so that the answer stands alone.
    screen.write("\r\x1b[K")
    screen.flush()
