"""What webhook, file and stdout share: they take every kind, as our JSON event, untranslated."""

from __future__ import annotations

from collections.abc import Hashable

from sidecar.destinations import outcomes
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.events.plain import json_event
from sidecar.events.wire import event_bytes_at_most
from sidecar.ports import BatchLimits, EventSort


class PlainDestination:
    """All of a destination but `send` and `close`; `envelope` is the bytes of a batch besides its events."""

    def __init__(self, name: str, limits: BatchLimits, *, envelope: int) -> None:
        self.name = name
        self.limits = limits
        self._envelope_bytes = envelope
        self._event_bytes_max = min(limits.event_bytes_max, limits.bytes_max - envelope)
        self._queued = outcomes.queued(name)

    def takes(self, kind: EventKind) -> bool:
        """True: every kind."""
        return True

    @property
    def chooses_impressions(self) -> bool:
        """False: every one."""
        return False

    def check(self, event: Event, facts: ProjectFacts | None) -> outcomes.Violations:
        """Nothing: the event goes as it came."""
        return ()

    def route(self, event: Event, facts: ProjectFacts | None) -> outcomes.Outcome:
        """Queued, unless `integrations` say otherwise or it is larger than a batch may be."""
        if outcomes.unwanted(self.name, event):
            return outcomes.skipped(self.name, outcomes.INTEGRATIONS)
        if event_bytes_at_most(event) > self._event_bytes_max and (
            len(json_event(event, facts)) > self._event_bytes_max
        ):
            return outcomes.skipped(self.name, outcomes.TOO_LARGE)
        return self._queued

    def route_alike(self, sort: EventSort, facts: ProjectFacts | None) -> outcomes.Outcome | None:
        """Queued, when the event is surely no larger than a batch may be."""
        return self._queued if sort.bytes_at_most <= self._event_bytes_max else None

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """One for all: each event names its project."""
        return None

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """The same for all."""
        return self._envelope_bytes

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """Our JSON event."""
        return json_event(event, facts)
