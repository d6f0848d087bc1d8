"""Values to replies, for the fake of `testing` alone: the reverse of `_replies`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from google.rpc import code_pb2, error_details_pb2, status_pb2

from sidecar_client import _encoding
from sidecar_client._events import EventMessage
from sidecar_client.decisions import Decision, Reason
from sidecar_client.pb import datafile_pb2, decision_pb2, reason_pb2, tracking_pb2

REVISION: Final = "1"
"""The revision of the fake's datafile, which never changes."""
EVENT_REQUESTS: Mapping[str, type[EventMessage]] = MappingProxyType(
    {
        "Track": tracking_pb2.TrackRequest,
        "Identify": tracking_pb2.IdentifyRequest,
        "Page": tracking_pb2.PageRequest,
        "Screen": tracking_pb2.ScreenRequest,
        "Group": tracking_pb2.GroupRequest,
        "Alias": tracking_pb2.AliasRequest,
    }
)


def decided(answers: Iterable[Decision | str], decision_id: str) -> decision_pb2.DecideResponse:
    """A DecideResponse; a string is the key of a flag that does not exist."""
    response = decision_pb2.DecideResponse(revision=REVISION, decision_id=decision_id)
    for answer in answers:
        decision = Decision(flag_key=answer, reason=Reason.FLAG_NOT_FOUND) if isinstance(answer, str) else answer
        message = response.decisions.add(
            flag_key=decision.flag_key,
            variation_key=decision.variation_key,
            enabled=decision.enabled,
            rule_key=decision.rule_key,
            rule_type=reason_pb2.RuleType.Value(f"RULE_TYPE_{decision.rule_type}"),
            reason=reason_pb2.DecisionReason.Value(f"DECISION_REASON_{decision.reason}"),
            experiment_id=decision.experiment_id,
            variation_id=decision.variation_id,
            reasons=decision.reasons,
        )
        _encoding.put_all(message.variables, decision.variables, f"variables of `{decision.flag_key}`")
    return response


def status() -> datafile_pb2.GetStatusResponse:
    """The state of a datafile that never changes."""
    return datafile_pb2.GetStatusResponse(name="default", revision=REVISION, source="fake")


def change() -> datafile_pb2.WatchResponse:
    """The one message of a Watch on it."""
    return datafile_pb2.WatchResponse(revision=REVISION, source="fake")


def refusal(code: str, message: str, reason: str) -> bytes:
    """The details of a status, as the sidecar puts them into a trailer; empty without a reason."""
    if not reason:
        return b""
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="sidecar"))
    encoded: bytes = status.SerializeToString()
    return encoded
