"""A batch as delivery makes one, from events."""

from __future__ import annotations

from sidecar.events.model import Event, ProjectFacts
from sidecar.ports import Batch, Destination
from tests.events.samples import FACTS, TIME_MS


def a_batch(
    destination: Destination,
    *events: Event,
    facts: ProjectFacts | None = FACTS,
    now_ms: int = TIME_MS + 5_000,
    attempt: int = 0,
    batch_id: str = "batch-1",
) -> Batch:
    rendered = [destination.render(event, facts) for event in events]
    return Batch(batch_id=batch_id, facts=facts, rendered=rendered, attempt=attempt, now_ms=now_ms)
