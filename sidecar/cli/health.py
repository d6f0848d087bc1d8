"""`sidecar health`: whether a running sidecar serves; for probes, so it must start fast."""

from __future__ import annotations

import argparse

from sidecar.cli import reach
from sidecar.cli.outcome import BAD, WELL
from sidecar.cli.printing import print_lines
from sidecar.client.health import health


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the sidecar is, and the name to ask about."""
    reach.add_arguments(parser)
    parser.add_argument("name", nargs="?", default="", help="a service, or datafile/NAME; the process by default")


def run(given: argparse.Namespace) -> int:
    """Print the serving status; 1 when it is not SERVING or nobody answers."""
    answer = health(reach.target(given), given.name, given.timeout)
    print_lines([answer])
    return WELL if answer == "SERVING" else BAD
