"""`sidecar outbox stats`: the counts of every destination, read from the outbox's file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from sidecar.cli.outcome import WELL
from sidecar.cli.printing import print_json, print_lines, table


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below `outbox`, and theirs."""
    stats = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "stats", help="print what each destination was given and got"
    )
    stats.add_argument(
        "--data-dir",
        metavar="DIR",
        default=os.environ.get("SIDECAR_DATA_DIR", ".sidecar"),
        help="the daemon's data directory (SIDECAR_DATA_DIR)",
    )
    stats.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print the counts, whether the daemon of that directory runs or not. Raises OutboxUnopened."""
    from sidecar.app import inspect

    counts = inspect.outbox_counts(Path(given.data_dir))
    if given.json:
        print_json(counts)
        return WELL
    rows = [("destination", "accepted", "delivered", "pending", "dead", "dropped", "pending bytes")]
    rows += [
        (
            str(one["destination"]),
            str(one["accepted"]),
            str(one["delivered"]),
            str(one["pending"]),
            str(one["dead"]),
            " ".join(f"{reason}={events}" for reason, events in one["dropped"].items()) or "0",
            str(one["pending_bytes"]),
        )
        for one in counts
    ]
    print_lines(table(rows))
    return WELL
