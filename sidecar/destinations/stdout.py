"""Events as JSON lines on standard output, for development and for collectors of container logs."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sidecar.destinations.outcomes import INTEGRATIONS, queued, skipped
from sidecar.errors import Violation
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.events.plain import json_event
from sidecar.events.wire import switched_off
from sidecar.limits import IMPORT_BYTES_MAX
from sidecar.ports import Answer, Batch, BatchLimits
from sidecar.retry import Verdict
from sidecar.values import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutConfig:
    """The section of a destination of type `stdout`."""

    batch_events_max: int = 1_000
    """Events written at once, 1 or more."""
    batch_age_max_s: float = 0.2
    """How long an event may wait for company, so that a person who watches sees it soon."""


class StdoutDestination:
    """Every kind, as our JSON event, one a line. Delivered once the system took the line."""

    def __init__(self, name: str, config: StdoutConfig, stream: BinaryIO) -> None:
        self.name = name
        self.limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=IMPORT_BYTES_MAX,
            event_bytes_max=IMPORT_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        self._stream = stream

    def takes(self, kind: EventKind) -> bool:
        """True: every kind."""
        return True

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        """Nothing: the event goes as it came."""
        return ()

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        """Queued unless the event's `integrations` say otherwise."""
        if switched_off(event.origin, self.name, by_all=True):
            return skipped(self.name, INTEGRATIONS)
        return queued(self.name)

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """One for all."""
        return None

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """The last line's end."""
        return 1

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """Our JSON event."""
        return json_event(event, facts)

    async def send(self, batch: Batch) -> Answer:
        """Write the lines in a thread, since a full pipe blocks its writer."""
        try:
            await asyncio.to_thread(self._write, b"\n".join(batch.rendered) + b"\n")
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Answer(Verdict.RETRY, f"cannot write to standard output: {error}")
        return Answer(Verdict.DELIVERED)

    async def close(self) -> None:
        """Leaves the stream open: it is the process's."""

    def _write(self, lines: bytes) -> None:
        self._stream.write(lines)
        self._stream.flush()
