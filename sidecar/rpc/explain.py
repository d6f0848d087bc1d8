"""The walk of one decision as the message of `Explain`. What a field means: proto/sidecar/v1/explain.proto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sidecar import limits
from sidecar.datafiles import Snapshot
from sidecar.decider import UNKNOWN_PROFILE, Decider
from sidecar.decision.explained import ExplainedBucketing, ExplainedCondition, ExplainedRule
from sidecar.decision.explaining import explain
from sidecar.pb import decision_pb2, explain_pb2
from sidecar.rpc import answers
from sidecar.rpc.answering import NO_VARIABLES, Question
from sidecar.rpc.users import attributes_left_out
from sidecar.rpc.wire_values import to_wire
from sidecar.sticky import Sticky

_TRUTHS: Final[Mapping[bool | None, explain_pb2.Truth]] = {
    True: explain_pb2.TRUTH_TRUE,
    False: explain_pb2.TRUTH_FALSE,
    None: explain_pb2.TRUTH_UNKNOWN,
}


def explain_answer(
    decider: Decider, snapshot: Snapshot, question: Question, profile: Sticky = UNKNOWN_PROFILE
) -> bytes:
    """Explain the one flag of a question, as a serialised `ExplainResponse`; records nothing, tells nobody."""
    user = decider.known(snapshot, question.user, profile)
    explanation = explain(snapshot.compiled, user, question.flag_keys[0])
    decision = explanation.decision
    problem = (profile.problem,) if profile.problem else ()
    reasons = (*attributes_left_out(user.attributes), *problem, *explanation.reasons)[: limits.REASONS_MAX]
    return decision_pb2.ExplainResponse(
        decision=answers.message(decision, reasons, with_variables=NO_VARIABLES not in question.options),
        revision=snapshot.revision,
        bucketing_id=explanation.bucketing_id,
        makes_impression=bool(decision.impressions),
        rules=[_rule(rule) for rule in explanation.rules],
    ).SerializeToString()


def _rule(rule: ExplainedRule) -> explain_pb2.ExplainedRule:
    return explain_pb2.ExplainedRule(
        rule_key=rule.rule_key,
        rule_id=rule.rule_id,
        rule_type=answers.rule_type_name(rule.rule_type),
        result=f"RULE_RESULT_{rule.result.value}",
        reason="DECISION_REASON_UNSPECIFIED" if rule.reason is None else f"DECISION_REASON_{rule.reason.value}",
        variation_key=rule.variation_key,
        status=rule.status,
        local_holdouts=[_rule(one) for one in rule.local_holdouts],
        audience=None if rule.audience is None else _condition(rule.audience),
        group_bucketing=_bucketing(rule.group_bucketing),
        bucketing=_bucketing(rule.bucketing),
        notes=rule.notes,
    )


def _condition(node: ExplainedCondition) -> explain_pb2.ExplainedCondition:
    return explain_pb2.ExplainedCondition(
        kind=f"CONDITION_KIND_{node.kind.value}",
        truth=_TRUTHS[node.truth],
        children=[_condition(child) for child in node.children],
        audience_id=node.audience_id,
        audience_name=node.audience_name,
        attribute_key=node.attribute_key,
        match=node.match,
        wanted=to_wire(node.wanted) if node.has_wanted else None,
        seen=to_wire(node.seen) if node.has_seen else None,
        note=node.note,
    )


def _bucketing(draw: ExplainedBucketing | None) -> explain_pb2.ExplainedBucketing | None:
    if draw is None:
        return None
    return explain_pb2.ExplainedBucketing(
        bucketing_id=draw.bucketing_id,
        entity_id=draw.entity_id,
        hash=draw.hash,
        bucket=draw.bucket,
        ranges=[
            explain_pb2.ExplainedRange(
                start_bucket=one.start, end_bucket=one.end, entity_id=one.entity_id, entity_key=one.entity_key
            )
            for one in draw.ranges
        ],
        chosen_entity_id=draw.chosen_entity_id,
    )
