"""Makes an outbox that remembers ids of callers, as one does whose process has taken events for a day."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from random import Random

from sidecar.limits import REMEMBERED_IDS_GENERATION
from sidecar.outbox.opening import open_database
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.schema import Durability
from sidecar.values import Outcome, OutcomeState


def remember(directory: Path, count: int, destination: str) -> None:
    """Fill a `data_dir` that does not exist with so many random ids, rounded up to whole generations."""
    directory.mkdir()
    now_ms = time.time_ns() // 1_000_000
    random, outcomes = Random("remembered"), (Outcome(destination, OutcomeState.QUEUED),)
    with contextlib.closing(open_database(directory, Durability.PROCESS, now_ms)) as connection:
        ids = RememberedIds(connection)
        for _ in range(0, count, REMEMBERED_IDS_GENERATION):
            digests = (random.randbytes(16) for _ in range(REMEMBERED_IDS_GENERATION))
            connection.execute("BEGIN IMMEDIATE")
            ids.remember(dict.fromkeys(digests, outcomes), now_ms)
            connection.execute("COMMIT")
