"""The seams: what the acts need from the world, as protocols. Adapters implement them, `app` puts them together.

Each method states its units, its errors and whether it may be called twice. Values of a seam are defined beside it.
Nothing here imports an adapter, a wire format or a library.
"""

from sidecar.ports.codecs import DecisionCodec, RecordCodec, Rendered
from sidecar.ports.destinations import Answer, Batch, BatchLimits, Destination, EventSort
from sidecar.ports.machine import Clock, Ids
from sidecar.ports.outbox import (
    START,
    Cursor,
    DeadLetter,
    DestinationCounts,
    EncodedFacts,
    Entries,
    Outbox,
    Record,
    Routes,
    Settled,
    StoredRecord,
    Written,
)
from sidecar.ports.profiles import ForcedVariation, ForcedVariationStore, ProfileStore
from sidecar.ports.sources import Fetched, Source

__all__ = [
    "START",
    "Answer",
    "Batch",
    "BatchLimits",
    "Clock",
    "Cursor",
    "DeadLetter",
    "DecisionCodec",
    "Destination",
    "DestinationCounts",
    "EncodedFacts",
    "Entries",
    "EventSort",
    "Fetched",
    "ForcedVariation",
    "ForcedVariationStore",
    "Ids",
    "Outbox",
    "ProfileStore",
    "Record",
    "RecordCodec",
    "Rendered",
    "Routes",
    "Settled",
    "Source",
    "StoredRecord",
    "Written",
]
