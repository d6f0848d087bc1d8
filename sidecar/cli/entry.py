"""Chooses a command, runs it, and turns what stops it into an exit code. Loads nothing that the command does not need.

Exit codes: docs/commands.md "Exit codes".
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import Final, Protocol, cast

from sidecar import __version__
from sidecar.cli.outcome import BAD, WRONG, Unanswerable
from sidecar.errors import ConfigInvalid, SidecarError


class Command(Protocol):
    """A module of this package that is one command."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options."""

    def run(self, given: argparse.Namespace) -> int:
        """Answer on standard output; the exit code."""


COMMANDS: Final[Mapping[str, str]] = {
    "serve": "serve until SIGTERM",
    "check": "validate a datafile and list its warnings",
    "explain": "print why a user gets a variation of a flag",
    "simulate": "print the share of users that each variation of a datafile gets",
    "diff": "print what a new datafile changes, and for how many users",
    "health": "ask a running sidecar whether it serves",
    "outbox": "look into the outbox",
    "import": "bring a history of events into a running sidecar",
}
"""Names, which are also those of their modules, and what `sidecar --help` says of them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what `sidecar` and `python -m sidecar` call. Returns the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A key of a datafile may hold what the terminal, or any encoding, cannot.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except ConfigInvalid as invalid:
        for problem in invalid.problems:
            _complain(problem)
        return WRONG
    except Unanswerable as wrong:
        _complain(str(wrong))
        return WRONG
    except BrokenPipeError:
        # Whoever read our answer has seen enough; what is still buffered has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD
    except (SidecarError, OSError) as failed:
        _complain(str(failed))
        return BAD
    except KeyboardInterrupt:
        return BAD


def _run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="sidecar", description="Decides flags and delivers events beside your service."
    )
    parser.add_argument("--version", action="version", version=f"sidecar {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((argument for argument in arguments if not argument.startswith("-")), "")
    for name, purpose in COMMANDS.items():
        one = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == asked:
            # Why only this one: `sidecar health` runs every few seconds, and need not load the daemon.
            command = cast("Command", import_module(f"sidecar.cli.{_module(name)}"))
            one.allow_abbrev = False
            command.arguments(one)
            one.set_defaults(run=command.run)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands.choices[asked].error(_unknown(unknown, commands.choices[asked]))
    code: int = given.run(given)
    sys.stdout.flush()
    return code


def _module(name: str) -> str:
    """The module of a command: a name that Python keeps for itself has an underscore behind."""
    return f"{name}_" if iskeyword(name) else name


def _unknown(arguments: Sequence[str], command: argparse.ArgumentParser) -> str:
    """What is wrong with arguments that a command does not have, with the flag that each may have meant."""
    from sidecar.config import suggestion

    flags = re.findall(r"--[a-z-]+", command.format_usage())
    # Why the flags alone: the value of a misspelt one may be a secret.
    names = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")] or arguments
    return "unrecognized arguments: " + ", ".join(f"`{name}`{suggestion(name, flags)}" for name in names)


def _complain(problem: str) -> None:
    sys.stderr.write(f"sidecar: {problem}\n")
