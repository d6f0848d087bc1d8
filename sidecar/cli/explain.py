"""`sidecar explain`: why a user gets a variation, by a datafile or by a running sidecar."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from sidecar.cli import datafiles, reach
from sidecar.cli.outcome import WELL, Unanswerable
from sidecar.cli.people import add_traits, split, traits
from sidecar.cli.printing import print_json, print_lines
from sidecar.cli.walk import lines
from sidecar.decision import User
from sidecar.decision.explained import Explanation
from sidecar.decision.explaining import explain


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the user, the flag, and where the datafile is."""
    parser.add_argument("--user", metavar="ID", required=True, help="the user's id")
    parser.add_argument("--flag", metavar="KEY", required=True, help="the flag's key")
    add_traits(parser)
    parser.add_argument(
        "--force",
        metavar="FLAG[/RULE]=VARIATION",
        action="append",
        default=[],
        help="a forced decision, for the flag or for one of its rules",
    )
    parser.add_argument("--datafile", metavar="FILE", help="decide here, by this file; - for standard input")
    parser.add_argument("--name", metavar="NAME", default="", help="of a running sidecar's datafiles, this one")
    reach.add_arguments(parser)
    parser.add_argument("--reasons", action="store_true", help="print the walk in sentences too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print the walk; an unknown flag is a decision like any other. Raises Unanswerable, NotExplained."""
    user = _user(given)
    if given.datafile is not None:
        if given.address is not None or given.name:
            raise Unanswerable("--datafile is given with --address or --name, wanted a file or a running sidecar")
        datafile = datafiles.compiled(given.datafile)
        explained, revision = explain(datafile, user, given.flag), datafile.revision
    else:
        # Why here: what speaks the wire is not needed for a file.
        from sidecar.client import explain as remote

        explained, revision = remote.explain(reach.target(given), user, given.flag, given.name, given.timeout)
    if given.json:
        print_json({"revision": revision, **_json(explained)})
        return WELL
    print_lines(lines(explained))
    if given.reasons or not explained.rules:
        print_lines(explained.reasons)
    print_lines([f"revision `{revision}`"])
    return WELL


def _user(given: argparse.Namespace) -> User:
    if not given.user:
        raise Unanswerable("--user is empty, wanted the user's id")
    found = traits(given)
    forced = {}
    for argument in given.force:
        place, variation_key = split("--force", argument, "FLAG=VARIATION or FLAG/RULE=VARIATION")
        flag_key, _, rule_key = place.partition("/")
        forced[flag_key, rule_key] = variation_key
    return User(given.user, found.attributes, found.segments, forced)


def _json(explained: Explanation) -> dict[str, Any]:
    """The walk as JSON; what concerns events is left out, since nothing is recorded."""
    answer: dict[str, Any] = msgspec.to_builtins(explained)
    for name in ("impressions", "saves_profile"):
        del answer["decision"][name]
    return answer
