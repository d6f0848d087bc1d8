"""What `route` answers: why a destination does not get an event. Words: docs/events.md "Outcomes"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from sidecar.errors import Violation
from sidecar.events.model import Event
from sidecar.events.wire import switched_off
from sidecar.values import Outcome, OutcomeState

__all__ = [
    "EVENT_KEY_NOT_FOUND",
    "FILTERED",
    "HISTORICAL",
    "INTEGRATIONS",
    "KIND_NOT_TAKEN",
    "NO_DATAFILE",
    "NO_USER",
    "NO_VARIATION",
    "SAMPLED_OUT",
    "TOO_LARGE",
    "Outcome",
    "Violations",
    "queued",
    "skipped",
    "unwanted",
]

Violations: TypeAlias = Sequence[Violation]

EVENT_KEY_NOT_FOUND: Final = "EVENT_KEY_NOT_FOUND"
FILTERED: Final = "FILTERED"
HISTORICAL: Final = "HISTORICAL"
INTEGRATIONS: Final = "INTEGRATIONS"
KIND_NOT_TAKEN: Final = "KIND_NOT_TAKEN"
NO_DATAFILE: Final = "NO_DATAFILE"
NO_USER: Final = "NO_USER"
NO_VARIATION: Final = "NO_VARIATION"
SAMPLED_OUT: Final = "SAMPLED_OUT"
TOO_LARGE: Final = "TOO_LARGE"


def skipped(destination: str, reason: str) -> Outcome:
    """The destination does not get the event."""
    return Outcome(destination, OutcomeState.SKIPPED, reason)


def queued(destination: str, unsent: str = "") -> Outcome:
    """The destination gets the event; `unsent` says what of it is left out."""
    return Outcome(destination, OutcomeState.QUEUED, unsent)


def unwanted(destination: str, event: Event, *, by_all: bool = True, alias: str = "") -> bool:
    """Whether the event's `integrations` keep it from the destination; see `events.wire.switched_off`."""
    return switched_off(event.origin, destination, by_all=by_all, alias=alias)
