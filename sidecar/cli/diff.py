"""`sidecar diff OLD NEW`: which flags changed in meaning, and what share of users gets another answer."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence

from sidecar.cli import datafiles
from sidecar.cli.outcome import BAD, WELL, Unanswerable
from sidecar.cli.people import add_users, crowd
from sidecar.cli.printing import percent, print_json, print_lines, watched
from sidecar.decision import CompiledDatafile
from sidecar.decision.meaning import Change, FlagChange, changed_flags, changed_settings
from sidecar.decision.simulation import Comparison, compare


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare both datafiles, the users and the limit."""
    parser.add_argument("old", metavar="OLD", help="the datafile that is served; - for standard input")
    parser.add_argument("new", metavar="NEW", help="the datafile that shall be served")
    add_users(parser)
    datafiles.add_flag_keys(parser)
    parser.add_argument("--fail-over", metavar="SHARE", help="exit 1 when more users get another answer, as 5%%")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print the changes; 1 when more users than `--fail-over` allows get another answer. Raises Unanswerable."""
    limit = _share(given.fail_over)
    if given.old == given.new == datafiles.STANDARD_INPUT:
        raise Unanswerable("both datafiles are `-`, wanted at most one from standard input")
    old, new = datafiles.compiled(given.old), datafiles.compiled(given.new)
    datafiles.check_flags(given, old, new)
    changes = [change for change in changed_flags(old, new) if not given.flag or change.flag_key in given.flag]
    people = crowd(given)
    # A flag that is new had no answer before, so that no user's can be another one.
    keys = [key for key in dict.fromkeys(given.flag or old.flags) if key in old.flags]
    found = compare(old, new, watched(people.users, people.count), keys)
    share = _of(found.users_moved, found)
    over = limit is not None and share > limit
    if given.json:
        print_json(
            {
                "old_revision": old.revision,
                "new_revision": new.revision,
                "settings": changed_settings(old, new),
                "flags": [_json(change, found) for change in changes],
                "users": found.users,
                "users_moved": found.users_moved,
                "share_moved": share,
                "fail_over": limit,
                "over": over,
            }
        )
    else:
        print_lines(_lines(old, new, changes, found))
        allowed = "" if limit is None else f", {'more than' if over else 'within'} the {percent(limit)} allowed"
        moved = f"{found.users_moved:,} of {found.users:,} {people.title}"
        print_lines([f"{percent(share)} of users get another answer ({moved}){allowed}"])
    return BAD if over else WELL


def _share(text: str | None) -> float | None:
    if text is None:
        return None
    number = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", text)
    if number is None or float(number[1]) > 100:  # noqa: PLR2004 - all users
        raise Unanswerable(f"--fail-over is `{text}`, wanted a percentage up to 100%, as `5%` or `0.5%`")
    return float(number[1]) / 100


def _of(moved: int, found: Comparison) -> float:
    return moved / found.users if found.users else 0.0


def _json(change: FlagChange, found: Comparison) -> dict[str, object]:
    moved = found.moved.get(change.flag_key, 0)
    return {
        "flag_key": change.flag_key,
        "change": str(change.change),
        "what": change.what,
        "users_moved": moved,
        "share_moved": _of(moved, found),
    }


def _lines(
    old: CompiledDatafile, new: CompiledDatafile, changes: Sequence[FlagChange], found: Comparison
) -> Iterator[str]:
    yield f"revision `{old.revision}` to `{new.revision}`"
    for name in changed_settings(old, new):
        yield f"{name} is changed, which changes what is recorded"
    for change in changes:
        moved = "" if change.change is Change.ADDED else f", {percent(_of(found.moved.get(change.flag_key, 0), found))}"
        yield f"flag `{change.flag_key}` is {change.change}{moved and moved + ' of users get another answer'}"
        yield from (f"  {line}" for line in change.what)
    if not changes:
        yield "no flag changed in meaning"
