"""Outcomes of events as the contract's messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sidecar.pb import event_pb2, tracking_pb2
from sidecar.rpc import wire
from sidecar.values import Outcome, OutcomeState

_EVENT_ID: Final = wire.Heads(wire.tag(tracking_pb2.TrackResponse.EVENT_ID_FIELD_NUMBER))
_EXPOSURE_SEEN: Final = tracking_pb2.TrackResponse(exposure_seen_here=True).SerializeToString()
_STATES: Final = {
    OutcomeState.QUEUED: event_pb2.OUTCOME_STATE_QUEUED,
    OutcomeState.SKIPPED: event_pb2.OUTCOME_STATE_SKIPPED,
}


def outcome_message(outcome: Outcome) -> event_pb2.Outcome:
    """One outcome as a message."""
    return event_pb2.Outcome(destination=outcome.destination, state=_STATES[outcome.state], reason=outcome.reason)


def tracked(event_id: str, outcomes: Sequence[Outcome], *, exposure_seen: bool) -> bytes:
    """The reply to any of the six calls, whose fields are numbered alike; only a Track's user can be seen exposed."""
    identity = event_id.encode()
    reply = b"".join((_EVENT_ID[len(identity)], identity, _field(tuple(outcomes))))
    return reply + _EXPOSURE_SEEN if exposure_seen else reply


@lru_cache(maxsize=1024)
def _field(outcomes: tuple[Outcome, ...]) -> bytes:
    """Outcomes as the field of a reply. Kept: the events of a datafile have few different ones."""
    return tracking_pb2.TrackResponse(outcomes=outcome_messages(outcomes)).SerializeToString()


def outcome_messages(outcomes: Sequence[Outcome]) -> list[event_pb2.Outcome]:
    """Outcomes as messages, in their order."""
    return [outcome_message(outcome) for outcome in outcomes]
