"""What is asked: the requests of the rows as bytes, and what a right answer to each looks like.

The user is one of a typed audience of three leaves (country twice, age) of `tests/vectors/datafile_20_flags.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.processes import ROOT
from sidecar.pb import decision_pb2, event_pb2, tracking_pb2, value_pb2

DATAFILE: Final = ROOT / "tests" / "vectors" / "datafile_20_flags.json"
FLAGS: Final = 20

DECIDE: Final = "/sidecar.v1.DecisionService/Decide"
TRACK: Final = "/sidecar.v1.TrackingService/Track"
FLUSH: Final = "/sidecar.v1.TrackingService/Flush"

_ATTRIBUTES: Final = {"country": value_pb2.Value(string_value="us"), "age": value_pb2.Value(int_value=42)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a method. `events` is how many the outbox must hold after it; `right` judges its answer."""

    method: str
    request: bytes
    right: Callable[[bytes], bool]
    events: int
    decisions: int = 0


def decide(*flag_keys: str) -> Asked:
    """A Decide of these flags, all for none; each of them makes its impression."""
    wanted = len(flag_keys) or FLAGS
    request = decision_pb2.DecideRequest(user_id="user-1", attributes=_ATTRIBUTES, flag_keys=flag_keys)

    def right(reply: bytes) -> bool:
        answer = decision_pb2.DecideResponse.FromString(reply)
        return len(answer.decisions) == wanted and all(one.variation_key for one in answer.decisions)

    return Asked(DECIDE, request.SerializeToString(), right, events=wanted, decisions=wanted)


def track() -> Asked:
    """A Track of the datafile's one event key; the server stamps an id of its own on each."""
    request = tracking_pb2.TrackRequest(user_id="user-1", event_key="purchase", attributes=_ATTRIBUTES)
    request.event_tags["revenue"].int_value = 4200

    def right(reply: bytes) -> bool:
        outcomes = tracking_pb2.TrackResponse.FromString(reply).outcomes
        return [one.state for one in outcomes] == [event_pb2.OUTCOME_STATE_QUEUED]

    return Asked(TRACK, request.SerializeToString(), right, events=1)
