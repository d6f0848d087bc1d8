"""A look at an outbox file from outside, also while another process works with it. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.outbox.ledger import Ledger
from sidecar.outbox.scan import Scan
from sidecar.outbox.schema import open_read_only
from sidecar.ports import DestinationCounts


def read_counts(path: Path) -> Sequence[DestinationCounts]:
    """The counts of every destination in an outbox file, consistent with each other.

    Raises `OutboxSchemaNewer`, `OutboxUnopened` (no such file, not readable, no outbox).
    """
    with open_read_only(path) as connection:
        connection.execute("BEGIN")
        ledger = Ledger(connection, {})
        ledger.load()
        scan = Scan(connection)
        oldest = ((account, scan.oldest(account)) for account in ledger.by_id.values())
        return [account.counts(header.received_ms if header else 0) for account, header in oldest]
