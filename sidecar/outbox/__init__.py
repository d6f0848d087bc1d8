"""The durable outbox: what is accepted is here until each of its destinations has it, or it is a dead letter.

`sqlite` is the façade, `writer` the thread and the group commit, `transact` one batch on that thread, `store`
the transactions; `opening` chooses the file, with `schema`, `migration` and, for a damaged one, `salvage` and its
`salvage_source`, `salvage_reading`, `salvage_pages`; below them `intake` (in), `queue` (out), `letters` (dead letters
by hand), the mirrors `ledger`, `facts` and `remembered`, the queries `scan` and `dead`, the columns `rows`.
Imported by `app` alone.
"""

from sidecar.outbox.inspection import read_counts, read_dead_letters, read_pending
from sidecar.outbox.ledger import DestinationBounds
from sidecar.outbox.schema import FILE_NAME, Durability
from sidecar.outbox.section import OutboxSection
from sidecar.outbox.sqlite import SqliteOutbox
from sidecar.outbox.writer import OutboxStats

__all__ = [
    "FILE_NAME",
    "DestinationBounds",
    "Durability",
    "OutboxSection",
    "OutboxStats",
    "SqliteOutbox",
    "read_counts",
    "read_dead_letters",
    "read_pending",
]
