"""`sidecar simulate FILE`: the share of users that each variation should get and does get."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from sidecar.cli import datafiles
from sidecar.cli.outcome import WELL
from sidecar.cli.people import add_users, crowd
from sidecar.cli.printing import percent, print_json, print_lines, table, watched
from sidecar.decision.simulation import simulate


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the datafile, the users and the flags."""
    parser.add_argument("file", metavar="FILE", help="a datafile; - for standard input")
    add_users(parser)
    datafiles.add_flag_keys(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Decide every flag for every user and print what came out. Raises Unanswerable."""
    datafile = datafiles.compiled(given.file)
    datafiles.check_flags(given, datafile)
    people = crowd(given)
    found = simulate(datafile, watched(people.users, people.count), list(dict.fromkeys(given.flag or datafile.flags)))
    if given.json:
        shares = [asdict(share) for share in found.shares]
        print_json({"revision": datafile.revision, "users": found.users, "shares": shares})
        return WELL
    rows = [("flag", "variation", "expected", "actual", "users")]
    rows += [
        (
            share.flag_key,
            share.variation_key or "(none)",
            percent(share.expected),
            percent(share.actual),
            f"{share.users:,}",
        )
        for share in found.shares
    ]
    print_lines(table(rows, left=2))
    print_lines([f"{found.users:,} {people.title}; expected: a user who is in every audience"])
    return WELL
