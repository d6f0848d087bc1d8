"""Asks a running sidecar how it decides, and reads the answer back into the values that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from sidecar.client.channel import Target, connect, metadata
from sidecar.decision import Decision, Reason, RuleType, User
from sidecar.decision.explained import (
    ConditionKind,
    ExplainedBucketing,
    ExplainedCondition,
    ExplainedRange,
    ExplainedRule,
    Explanation,
    RuleResult,
)
from sidecar.errors import SidecarError
from sidecar.pb import decision_pb2, explain_pb2, reason_pb2
from sidecar.rpc.wire_values import to_wire, trusted_mapping

_METHOD: Final = "/sidecar.v1.DecisionService/Explain"
_TRUTHS: Final[Mapping[int, bool | None]] = {explain_pb2.TRUTH_TRUE: True, explain_pb2.TRUTH_FALSE: False}


class NotExplained(SidecarError):
    """The sidecar gave no answer; the message names it, the code and what it said."""


def explain(target: Target, user: User, flag_key: str, datafile: str, timeout_s: float) -> tuple[Explanation, str]:
    """The walk of one decision and the revision that it was made with. Raises NotExplained."""
    request = decision_pb2.ExplainRequest(
        user_id=user.user_id,
        attributes={key: to_wire(value) for key, value in user.attributes.items()},
        flag_key=flag_key,
        forced_decisions=[
            decision_pb2.ForcedDecision(flag_key=flag, rule_key=rule, variation_key=variation)
            for (flag, rule), variation in (user.forced_decisions or {}).items()
        ],
        datafile=datafile,
    )
    if user.qualified_segments is not None:
        request.qualified_segments.keys.extend(sorted(user.qualified_segments))
        request.qualified_segments.SetInParent()
    with connect(target) as channel:
        ask: grpc.UnaryUnaryMultiCallable[decision_pb2.ExplainRequest, decision_pb2.ExplainResponse] = (
            channel.unary_unary(
                _METHOD,
                request_serializer=decision_pb2.ExplainRequest.SerializeToString,
                response_deserializer=decision_pb2.ExplainResponse.FromString,
            )
        )
        try:
            answer = ask(request, timeout=timeout_s, metadata=metadata(target))
        except grpc.RpcError as failed:
            cause = f"{failed.code().name}: {failed.details()}"
            raise NotExplained(f"no answer from {target.address}: {cause}") from failed
    return _explanation(answer), answer.revision


def _explanation(answer: decision_pb2.ExplainResponse) -> Explanation:
    told = answer.decision
    decision = Decision(
        flag_key=told.flag_key,
        variation_key=told.variation_key,
        enabled=told.enabled,
        variables=trusted_mapping(told.variables),
        rule_key=told.rule_key,
        rule_type=_rule_type(told.rule_type),
        reason=_reason(told.reason) or Reason.NO_RULE_MATCHED,
        experiment_id=told.experiment_id,
        variation_id=told.variation_id,
    )
    return Explanation(
        decision=decision,
        bucketing_id=answer.bucketing_id,
        rules=tuple(map(_rule, answer.rules)),
        reasons=tuple(told.reasons),
    )


def _rule(rule: explain_pb2.ExplainedRule) -> ExplainedRule:
    return ExplainedRule(
        rule_key=rule.rule_key,
        rule_id=rule.rule_id,
        rule_type=_rule_type(rule.rule_type),
        result=RuleResult(explain_pb2.RuleResult.Name(rule.result).removeprefix("RULE_RESULT_")),
        status=rule.status,
        reason=_reason(rule.reason),
        variation_key=rule.variation_key,
        local_holdouts=tuple(map(_rule, rule.local_holdouts)),
        audience=_condition(rule.audience) if rule.HasField("audience") else None,
        group_bucketing=_bucketing(rule.group_bucketing) if rule.HasField("group_bucketing") else None,
        bucketing=_bucketing(rule.bucketing) if rule.HasField("bucketing") else None,
        notes=tuple(rule.notes),
    )


def _condition(node: explain_pb2.ExplainedCondition) -> ExplainedCondition:
    values = trusted_mapping({name: getattr(node, name) for name in ("wanted", "seen") if node.HasField(name)})
    return ExplainedCondition(
        kind=ConditionKind(explain_pb2.ConditionKind.Name(node.kind).removeprefix("CONDITION_KIND_")),
        truth=_TRUTHS.get(node.truth),
        children=tuple(map(_condition, node.children)),
        audience_id=node.audience_id,
        audience_name=node.audience_name,
        attribute_key=node.attribute_key,
        match=node.match,
        wanted=values.get("wanted"),
        has_wanted="wanted" in values,
        seen=values.get("seen"),
        has_seen="seen" in values,
        note=node.note,
    )


def _bucketing(drawn: explain_pb2.ExplainedBucketing) -> ExplainedBucketing:
    return ExplainedBucketing(
        bucketing_id=drawn.bucketing_id,
        entity_id=drawn.entity_id,
        hash=drawn.hash,
        bucket=drawn.bucket,
        ranges=tuple(
            ExplainedRange(
                start=one.start_bucket, end=one.end_bucket, entity_id=one.entity_id, entity_key=one.entity_key
            )
            for one in drawn.ranges
        ),
        chosen_entity_id=drawn.chosen_entity_id,
    )


def _reason(number: reason_pb2.DecisionReason) -> Reason | None:
    name = reason_pb2.DecisionReason.Name(number).removeprefix("DECISION_REASON_")
    return None if name == "UNSPECIFIED" else Reason(name)


def _rule_type(number: reason_pb2.RuleType) -> RuleType:
    """A flag that is not there was decided by no kind of rule, and reads as D9 has it."""
    name = reason_pb2.RuleType.Name(number).removeprefix("RULE_TYPE_")
    return RuleType.ROLLOUT if name == "UNSPECIFIED" else RuleType[name]
