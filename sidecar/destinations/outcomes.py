"""What `route` answers: why a destination does not get an event. Words: docs/events.md "Outcomes"."""

from __future__ import annotations

from typing import Final

from sidecar.values import Outcome, OutcomeState

EVENT_KEY_NOT_FOUND: Final = "EVENT_KEY_NOT_FOUND"
HISTORICAL: Final = "HISTORICAL"
INTEGRATIONS: Final = "INTEGRATIONS"
KIND_NOT_TAKEN: Final = "KIND_NOT_TAKEN"
NO_DATAFILE: Final = "NO_DATAFILE"
NO_VARIATION: Final = "NO_VARIATION"
TOO_LARGE: Final = "TOO_LARGE"


def skipped(destination: str, reason: str) -> Outcome:
    """The destination does not get the event."""
    return Outcome(destination, OutcomeState.SKIPPED, reason)


def queued(destination: str, unsent: str = "") -> Outcome:
    """The destination gets the event; `unsent` says what of it is left out."""
    return Outcome(destination, OutcomeState.QUEUED, unsent)
