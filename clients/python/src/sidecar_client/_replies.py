"""Replies to values: the only reader of responses. An unknown enum number is UNSPECIFIED, never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar_client._encoding import value_of
from sidecar_client._faults import fault_of_status
from sidecar_client.decisions import Decision, Decisions, Reason, RuleType
from sidecar_client.events import Accepted, Outcome, OutcomeState
from sidecar_client.pb import datafile_pb2, decision_pb2, event_pb2, reason_pb2, tracking_pb2
from sidecar_client.status import DatafileChange, DatafileStatus, DatafileWarning, Flushed, Remainder
from sidecar_client.variables import Variables

REASONS = MappingProxyType(
    {
        number: Reason(name.removeprefix("DECISION_REASON_"))
        for name, number in reason_pb2.DecisionReason.items()
        if name.removeprefix("DECISION_REASON_") in Reason.__members__
    }
)
RULE_TYPES = MappingProxyType(
    {
        number: RuleType(name.removeprefix("RULE_TYPE_"))
        for name, number in reason_pb2.RuleType.items()
        if name.removeprefix("RULE_TYPE_") in RuleType.__members__
    }
)
_OUTCOME_STATES = MappingProxyType(
    {
        event_pb2.OUTCOME_STATE_QUEUED: OutcomeState.QUEUED,
        event_pb2.OUTCOME_STATE_SKIPPED: OutcomeState.SKIPPED,
    }
)


ID_BYTES: Final = 36
"""Of a decision id that is a UUID."""
_BEFORE_ID: Final = slice(None, -ID_BYTES)
_ID: Final = slice(-ID_BYTES, None)
_ID_HEAD: Final = decision_pb2.DecideResponse(decision_id="0" * ID_BYTES).SerializeToString()[:-ID_BYTES]
_KNOWN_MAX: Final = 1024
_KNOWN_BYTES_MAX: Final = 4096
"""Of one reply: all that are known together keep a few MiB at most."""
_KNOWN: Final[dict[bytes, tuple[Decision, ...]]] = {}
"""Decisions by the bytes that they came in, up to the id of the call: few users of a flag get one of their own.

Why global: what bytes mean depends on nothing. A lookup costs a tenth of reading them.
"""


def decisions(reply: bytes) -> Decisions:
    """The answer to a Decide."""
    known = _KNOWN.get(reply[_BEFORE_ID])
    if known is None:
        known = _learned(reply)
    if not known:
        return decisions_of(decision_pb2.DecideResponse.FromString(reply))
    decision_id = reply[_ID].decode()
    listed = [_of_call(each, decision_id) for each in known]
    return Decisions(listed, revision=known[0].revision, decision_id=decision_id)


def decision(reply: bytes, flag_key: str) -> Decision:
    """The answer to a Decide of one flag. One that is left out is one that ENABLED_FLAGS_ONLY filtered."""
    known = _KNOWN.get(reply[_BEFORE_ID])
    if known is None:
        known = _learned(reply)
    if len(known) == 1:
        return _of_call(known[0], reply[_ID].decode())
    answered = decisions(reply)
    for each in answered.values():
        return each
    return Decision(
        flag_key=flag_key,
        reasons=("left out: ENABLED_FLAGS_ONLY answers flags that are enabled alone",),
        revision=answered.revision,
        decision_id=answered.decision_id,
    )


def _learned(reply: bytes) -> tuple[Decision, ...]:
    """The decisions of a reply that ends with a UUID, without it, known from now on; none for any other reply.

    Why the cut is safe: what stands before it is a message only if a field ends there, and then the rest is the id.
    """
    head, decision_id = reply[_BEFORE_ID], reply[_ID]
    if not head.endswith(_ID_HEAD):
        return ()
    body = head.removesuffix(_ID_HEAD)
    try:
        listed = tuple(decisions_of(decision_pb2.DecideResponse.FromString(body)).values())
    except DecodeError:
        return ()
    if len(body) > _KNOWN_BYTES_MAX or not decision_id.isascii():
        return ()
    if len(_KNOWN) >= _KNOWN_MAX:
        _KNOWN.clear()
    _KNOWN[head] = listed
    return listed


def _of_call(decision: Decision, decision_id: str) -> Decision:
    """The same decision of another call. Why not `dataclasses.replace`: it costs ten times as much."""
    fields, copy = vars(decision).copy(), object.__new__(Decision)
    fields["decision_id"] = decision_id
    object.__setattr__(copy, "__dict__", fields)
    return copy


def decisions_of(response: decision_pb2.DecideResponse) -> Decisions:
    """The decisions of one user."""
    revision, decision_id = response.revision, response.decision_id
    listed = [decision_of(each, revision, decision_id) for each in response.decisions]
    return Decisions(listed, revision=revision, decision_id=decision_id)


def decision_of(message: decision_pb2.Decision, revision: str, decision_id: str) -> Decision:
    """One decision, made at this revision."""
    flag_key = message.flag_key
    variables = {key: value_of(value) for key, value in message.variables.items()}
    return Decision(
        flag_key=flag_key,
        variation_key=message.variation_key,
        enabled=message.enabled,
        variables=Variables(variables, flag_key=flag_key),
        rule_key=message.rule_key,
        rule_type=RULE_TYPES.get(message.rule_type, RuleType.UNSPECIFIED),
        reason=REASONS.get(message.reason, Reason.UNSPECIFIED),
        experiment_id=message.experiment_id,
        variation_id=message.variation_id,
        reasons=tuple(message.reasons),
        revision=revision,
        decision_id=decision_id,
    )


def tracked(reply: bytes) -> Accepted:
    """The answer to a Track."""
    response = tracking_pb2.TrackResponse.FromString(reply)
    return Accepted(
        event_id=response.event_id,
        outcomes=tuple(outcome(each) for each in response.outcomes),
        exposure_seen_here=response.exposure_seen_here,
    )


def accepted(reply: bytes) -> Accepted:
    """The answer to Identify, Page, Screen, Group and Alias: their messages have the same fields."""
    response = tracking_pb2.IdentifyResponse.FromString(reply)
    return Accepted(event_id=response.event_id, outcomes=tuple(outcome(each) for each in response.outcomes))


def outcome(message: event_pb2.Outcome) -> Outcome:
    """What became of an event at one destination."""
    state = _OUTCOME_STATES.get(message.state, OutcomeState.UNSPECIFIED)
    return Outcome(destination=message.destination, state=state, reason=message.reason)


def flushed(reply: bytes) -> Flushed:
    """The answer to a Flush."""
    response = tracking_pb2.FlushResponse.FromString(reply)
    return Flushed(tuple(Remainder(each.destination, each.events, each.pause_reason) for each in response.remainders))


def status(reply: bytes) -> DatafileStatus:
    """The answer to a GetStatus."""
    response = datafile_pb2.GetStatusResponse.FromString(reply)
    failed = response.HasField("last_error")
    return DatafileStatus(
        name=response.name,
        revision=response.revision,
        source=response.source,
        loaded_time=_time(response.loaded_time) if response.HasField("loaded_time") else None,
        checked_time=_time(response.checked_time) if response.HasField("checked_time") else None,
        stale=response.stale,
        from_cache=response.from_cache,
        last_error=fault_of_status(response.last_error).message if failed else "",
        warnings=tuple(
            DatafileWarning(each.path, each.description, each.disabled_flag_key) for each in response.warnings
        ),
    )


def change(reply: bytes) -> DatafileChange:
    """One message of a Watch."""
    response = datafile_pb2.WatchResponse.FromString(reply)
    return DatafileChange(
        revision=response.revision,
        loaded_time=_time(response.loaded_time) if response.HasField("loaded_time") else None,
        source=response.source,
        warnings=response.warnings,
        lost=response.lost,
    )


def _time(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)
