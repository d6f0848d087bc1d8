"""Decisions as bytes: a reply is a join of what was rendered once per snapshot, and so is an outbox record.

A `Decision` of the engine is one object for all users who get that answer, so its bytes stand under its identity. What
depends on the call (reasons, left-out variables) is rendered for that call and not kept.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sidecar import limits
from sidecar.decision import CompiledDatafile, Decision, ImpressionPart, Reason, RuleType
from sidecar.pb import decision_pb2, record_pb2
from sidecar.ports import Rendered
from sidecar.rpc import wire, wire_values
from sidecar.values import Pause, no_pause

RENDERED_AHEAD_MAX: Final = 2_048
"""Decisions that are rendered when a datafile is applied: all of one with a few hundred flags."""
RENDERED_ON_DEMAND_MAX: Final = 4_096
"""Rare decisions (forced, whitelisted, sticky) whose bytes are kept, per snapshot."""

_NO_FLAG: Final = (Reason.FLAG_NOT_FOUND, Reason.FLAG_INVALID)

_DECISIONS: Final = wire.tag(decision_pb2.DecideResponse.DECISIONS_FIELD_NUMBER)
_REVISION: Final = wire.tag(decision_pb2.DecideResponse.REVISION_FIELD_NUMBER)
_DECISION_ID: Final = wire.Heads(wire.tag(decision_pb2.DecideResponse.DECISION_ID_FIELD_NUMBER))

_CALLS: Final = wire.Heads(wire.tag(record_pb2.StoredRecord.CALLS_FIELD_NUMBER))
_RECEIVED: Final = wire.varint(record_pb2.StoredCall.RECEIVED_TIME_MS_FIELD_NUMBER << 3)
_CALL_ID: Final = wire.Heads(wire.tag(record_pb2.StoredCall.CALL_ID_FIELD_NUMBER))
_HISTORICAL: Final = wire.varint(record_pb2.StoredCall.HISTORICAL_FIELD_NUMBER << 3) + wire.varint(1)
_DATAFILE: Final = wire.tag(record_pb2.StoredCall.DATAFILE_FIELD_NUMBER)
REQUESTS: Final[Mapping[str, wire.Heads]] = {
    field.name: wire.Heads(wire.tag(field.number))
    for field in record_pb2.StoredCall.DESCRIPTOR.oneofs_by_name["call"].fields
}
"""What stands before each request in a stored call, by the field's name."""
_IMPRESSIONS: Final = wire.tag(record_pb2.StoredCall.IMPRESSIONS_FIELD_NUMBER)


class AnswerCodec:
    """The `DecisionCodec` of the wire contract and of `sidecar.outbox.v1`."""

    def render(self, compiled: CompiledDatafile, pause: Pause = no_pause) -> Mapping[Decision, Rendered]:
        """See `ports.DecisionCodec`."""
        return _RenderedDecisions(compiled, pause)

    def record(  # noqa: PLR0917 - one argument a field of the stored call, in its order
        self, call: bytes, decision_id: str, received_ms: int, datafile: str, impressions: Sequence[bytes], form: str
    ) -> bytes:
        """See `ports.DecisionCodec`."""
        # `stored_record`, without the call.
        identity, head = decision_id.encode(), _head(received_ms, datafile)
        kind = REQUESTS[form]
        stored = b"".join((head, _CALL_ID[len(identity)], identity, kind[len(call)], call, *impressions))
        return _CALLS[len(stored)] + stored


def reply(answers: Iterable[bytes], revision: bytes, decision_id: str) -> bytes:
    """A `DecideResponse`: rendered decisions, the rendered revision, the decision id."""
    identity = decision_id.encode()
    return b"".join((*answers, revision, _DECISION_ID[len(identity)], identity))


def revision_field(revision: str) -> bytes:
    """The revision as `reply` wants it."""
    return wire.field(_REVISION, revision.encode())


def render_answer(decision: Decision, reasons: Sequence[str] = (), *, with_variables: bool = True) -> bytes:
    """One decision as the field of a `DecideResponse`."""
    return wire.field(_DECISIONS, message(decision, reasons, with_variables=with_variables).SerializeToString())


def message(decision: Decision, reasons: Sequence[str] = (), *, with_variables: bool = True) -> decision_pb2.Decision:
    """One decision as a message."""
    answer = decision_pb2.Decision(
        flag_key=decision.flag_key,
        variation_key=decision.variation_key,
        enabled=decision.enabled,
        rule_key=decision.rule_key,
        rule_type=rule_type(decision),
        reason=f"DECISION_REASON_{decision.reason.value}",
        experiment_id=decision.experiment_id,
        variation_id=decision.variation_id,
        reasons=reasons,
    )
    if with_variables:
        for key, value in decision.variables.items():
            answer.variables[key].CopyFrom(wire_values.to_wire(value))
    return answer


def rule_type(decision: Decision) -> str:
    """The name of the enum's value; a flag that is not there was decided by no kind of rule."""
    if decision.reason in _NO_FLAG:
        return "RULE_TYPE_UNSPECIFIED"
    return rule_type_name(decision.rule_type)


def rule_type_name(rule_type: RuleType) -> str:
    """The name of the wire's enum value for a kind of rule."""
    return "RULE_TYPE_" + rule_type.value.upper().replace("-", "_")


def stored_record(kind: wire.Heads, call: bytes, call_id: str, received_ms: int, datafile: str) -> bytes:
    """A `StoredRecord` of one call without impressions; `kind` is one of `REQUESTS`."""
    identity, head = call_id.encode(), _head(received_ms, datafile)
    stored = b"".join((head, _CALL_ID[len(identity)], identity, kind[len(call)], call))
    return _CALLS[len(stored)] + stored


def imported_head(received_ms: int, datafile: str) -> bytes:
    """What the stored calls of one import have in common: when it came, of which datafile, and that it is history."""
    return _head(received_ms, datafile) + _HISTORICAL


def imported_call(head: bytes, kind: wire.Heads, call: bytes, call_id: str) -> bytes:
    """One event of an import as its part of a `StoredRecord`; `kind` is as in `stored_record`."""
    identity = call_id.encode()
    stored = b"".join((head, _CALL_ID[len(identity)], identity, kind[len(call)], call))
    return _CALLS[len(stored)] + stored


@functools.lru_cache(maxsize=limits.REVISIONS_RENDERED_MAX)
def _head(received_ms: int, datafile: str) -> bytes:
    """When a call came and of which datafile. Why kept: the calls of one millisecond share it."""
    return _RECEIVED + wire.varint(received_ms) + wire.field(_DATAFILE, datafile.encode())


class _RenderedDecisions(dict[Decision, Rendered]):
    """Bytes by decision: the first ones from the start, the others as they come, a bounded number of the rare ones.

    Why not all from the start: a large datafile has tens of thousands, which take nearly half of a reload's time and a
    seventh of its memory, and one costs its first caller some 20 µs.
    """

    def __init__(self, compiled: CompiledDatafile, pause: Pause) -> None:
        super().__init__()
        prebuilt = 0
        for decision in compiled.prebuilt():
            prebuilt += 1
            if prebuilt <= RENDERED_AHEAD_MAX:
                self[decision] = _render(decision)
            pause()
        self._bound = prebuilt + RENDERED_ON_DEMAND_MAX

    def __missing__(self, decision: Decision) -> Rendered:
        rendered = _render(decision)
        if len(self) < self._bound:
            self[decision] = rendered
        return rendered


def _render(decision: Decision) -> Rendered:
    impressions = tuple(_render_impression(part) for part in decision.impressions)
    return Rendered(render_answer(decision, decision.problems), impressions)


def _render_impression(part: ImpressionPart) -> bytes:
    stored = record_pb2.StoredImpression(
        flag_key=part.flag_key,
        rule_key=part.rule_key,
        rule_type=part.rule_type.value,
        variation_key=part.variation_key,
        enabled=part.enabled,
        campaign_id=part.campaign_id,
        experiment_id=part.experiment_id,
        variation_id=part.variation_id,
        experiment_name="" if part.experiment_key == part.rule_key else part.experiment_key,
    )
    return wire.field(_IMPRESSIONS, stored.SerializeToString())
