"""Outcomes of events as the contract's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sidecar.pb import event_pb2
from sidecar.values import Outcome, OutcomeState

_STATES: Final = {
    OutcomeState.QUEUED: event_pb2.OUTCOME_STATE_QUEUED,
    OutcomeState.SKIPPED: event_pb2.OUTCOME_STATE_SKIPPED,
}


def outcome_message(outcome: Outcome) -> event_pb2.Outcome:
    """One outcome as a message."""
    return event_pb2.Outcome(destination=outcome.destination, state=_STATES[outcome.state], reason=outcome.reason)


def outcome_messages(outcomes: Sequence[Outcome]) -> list[event_pb2.Outcome]:
    """Outcomes as messages, in their order."""
    return [outcome_message(outcome) for outcome in outcomes]
