"""Datafiles that a command is given: a path, or `-` for standard input."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from sidecar.cli.outcome import Unanswerable
from sidecar.decision import CompiledDatafile, load
from sidecar.errors import DatafileRejected

STANDARD_INPUT: Final = "-"


def read(name: str) -> bytes:
    """The bytes of a datafile. Raises Unanswerable when it cannot be read."""
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as unreadable:
        raise Unanswerable(f"{name} cannot be read: {unreadable.strerror}") from unreadable


def compiled(name: str) -> CompiledDatafile:
    """A datafile, ready to decide. Raises Unanswerable when it cannot be read or is rejected."""
    try:
        return load(read(name))
    except DatafileRejected as rejected:
        raise Unanswerable(f"{name}: {rejected}") from rejected


def add_flag_keys(parser: argparse.ArgumentParser) -> None:
    """Declare which flags are looked at."""
    parser.add_argument("--flag", metavar="KEY", action="append", default=[], help="only this flag; all without")


def check_flags(given: argparse.Namespace, *datafiles: CompiledDatafile) -> None:
    """Raise Unanswerable when a flag of `--flag` is in none of the datafiles."""
    for key in given.flag:
        if not any(key in datafile.flags for datafile in datafiles):
            raise Unanswerable(f"--flag is `{key}`, wanted a flag of the datafile")
