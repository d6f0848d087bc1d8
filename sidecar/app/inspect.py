"""A look into the data directory of a daemon, running or not, for the command line. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar.outbox import FILE_NAME, read_counts


def outbox_counts(data_dir: Path) -> Sequence[dict[str, Any]]:
    """The counts of every destination, as plain mappings. Raises `OSError` when there is no outbox."""
    return [
        {
            "destination": counts.destination,
            "accepted": counts.accepted,
            "delivered": counts.delivered,
            "pending": counts.pending,
            "pending_bytes": counts.pending_bytes,
            "dead": counts.dead,
            "dead_bytes": counts.dead_bytes,
            "dropped": dict(counts.dropped),
            "oldest_pending_ms": counts.oldest_pending_ms,
            "conserved": counts.conserved,
        }
        for counts in read_counts(data_dir / FILE_NAME)
    ]
