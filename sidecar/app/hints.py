"""What to try next, for a person who has just started the daemon by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sidecar.app.settings import Settings


def show(grpc: Sequence[str], http: str, settings: Settings) -> None:
    """Print where the daemon listens and three commands, on standard error, where the log goes too."""
    address = grpc[0]
    sample = f".venv/bin/python clients/python/samples/first_decision.py {address}"
    lines = [
        "",
        f"  gRPC on {', '.join(grpc)}" + (f", HTTP on {http}" if http else ""),
        "",
        "  Try next, in another terminal:",
        f"    {sample}",
        f"    .venv/bin/sidecar health --address {address}",
        f"    .venv/bin/sidecar outbox stats --data-dir {settings.data_dir}",
    ]
    path = settings.datafile or next(
        (str(keys["path"]) for keys in settings.datafiles.values() if isinstance(keys, dict) and "path" in keys),
        "",
    )
    if path:
        lines.append(f"  Then edit {path} and decide again: no restart.")
    sys.stderr.write("\n".join([*lines, "", ""]))
    sys.stderr.flush()
