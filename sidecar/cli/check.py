"""`sidecar check FILE`: every warning of a datafile with its JSON path. What is looked for: `decision.audit`."""

from __future__ import annotations

import argparse

from sidecar.cli import datafiles
from sidecar.cli.outcome import BAD, WELL
from sidecar.cli.printing import print_json, print_lines
from sidecar.decision import load
from sidecar.decision.audit import audit
from sidecar.errors import DatafileRejected


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the datafile, and how strict to be."""
    parser.add_argument("file", metavar="FILE", help="a datafile; - for standard input")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")


def run(given: argparse.Namespace) -> int:
    """Print every warning; 1 when the datafile is rejected, with --strict on warnings. Raises Unanswerable."""
    body = datafiles.read(given.file)
    try:
        compiled = load(body)
    except DatafileRejected as rejected:
        _print_rejection(given, rejected)
        return BAD
    warnings = audit(compiled)
    if given.json:
        print_json(
            {
                "accepted": True,
                "revision": compiled.revision,
                "flags": len(compiled.flags),
                "experiments": len(compiled.experiments),
                "warnings": [{"path": warning.path, "message": warning.message} for warning in warnings],
            }
        )
    else:
        print_lines(f"{warning.path or given.file}: {warning.message}" for warning in warnings)
        counts = f"{len(compiled.flags)} flags, {len(compiled.experiments)} experiments, {len(warnings)} warnings"
        print_lines([f"{given.file}: revision `{compiled.revision}`, {counts}"])
    return BAD if warnings and given.strict else WELL


def _print_rejection(given: argparse.Namespace, rejected: DatafileRejected) -> None:
    if given.json:
        found = {"path": rejected.path, "message": f"is {rejected.got}, wanted {rejected.wanted}"}
        print_json({"accepted": False, "rejection": found, "warnings": []})
    else:
        print_lines([f"{given.file}: {rejected}"])
