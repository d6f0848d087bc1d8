"""The call that explains a decision, and the only reader of its reply. No clock, no socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.descriptor import EnumDescriptor

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._decide import option_numbers
from sidecar_client._encoding import value_of
from sidecar_client._identity import Identity
from sidecar_client.decisions import DecideOption, Reason, RuleType
from sidecar_client.explanations import Bucketing, BucketRange, Compared, Condition, ExplainedRule, Explanation
from sidecar_client.pb import decision_pb2, explain_pb2
from sidecar_client.settings import EVENT_RETRY, Settings

EXPLAIN: Final = "/sidecar.v1.DecisionService/Explain"


def explain(
    user: Identity, settings: Settings, flag_key: str, options: Sequence[DecideOption], timeout_s: float | None
) -> Call[Explanation]:
    """An Explain. It has no default: it is for people, and an error is what they want to see."""
    rest = decision_pb2.ExplainRequest(flag_key=flag_key, options=option_numbers(options))
    return Call(
        method=EXPLAIN,
        # The fields of an ExplainRequest have the numbers of a DecideRequest.
        request=user.prefix + rest.SerializeToString(),
        timeout_s=settings.status_timeout_s if timeout_s is None else timeout_s,
        retry=EVENT_RETRY,
        decode=explained,
    )


def explained(reply: bytes) -> Explanation:
    """The answer to an Explain."""
    response = decision_pb2.ExplainResponse.FromString(reply)
    return Explanation(
        decision=_replies.decision_of(response.decision, response.revision, ""),
        revision=response.revision,
        bucketing_id=response.bucketing_id,
        makes_impression=response.makes_impression,
        rules=tuple(_rule(each) for each in response.rules),
    )


def _rule(message: explain_pb2.ExplainedRule) -> ExplainedRule:
    return ExplainedRule(
        rule_key=message.rule_key,
        rule_id=message.rule_id,
        rule_type=_replies.RULE_TYPES.get(message.rule_type, RuleType.UNSPECIFIED),
        result=_word(explain_pb2.RuleResult.DESCRIPTOR, message.result, "RULE_RESULT_"),
        reason=_replies.REASONS.get(message.reason, Reason.UNSPECIFIED),
        variation_key=message.variation_key,
        status=message.status,
        local_holdouts=tuple(_rule(each) for each in message.local_holdouts),
        audience=_condition(message.audience) if message.HasField("audience") else None,
        group_bucketing=_bucketing(message.group_bucketing) if message.HasField("group_bucketing") else None,
        bucketing=_bucketing(message.bucketing) if message.HasField("bucketing") else None,
        notes=tuple(message.notes),
    )


def _condition(message: explain_pb2.ExplainedCondition) -> Condition:
    return Condition(
        kind=_word(explain_pb2.ConditionKind.DESCRIPTOR, message.kind, "CONDITION_KIND_"),
        truth=_word(explain_pb2.Truth.DESCRIPTOR, message.truth, "TRUTH_"),
        children=tuple(_condition(each) for each in message.children),
        audience_id=message.audience_id,
        audience_name=message.audience_name,
        attribute_key=message.attribute_key,
        match=message.match,
        wanted=Compared(value_of(message.wanted)) if message.HasField("wanted") else None,
        seen=Compared(value_of(message.seen)) if message.HasField("seen") else None,
        note=message.note,
    )


def _bucketing(message: explain_pb2.ExplainedBucketing) -> Bucketing:
    ranges = tuple(
        BucketRange(
            start_bucket=each.start_bucket,
            end_bucket=each.end_bucket,
            entity_id=each.entity_id,
            entity_key=each.entity_key,
        )
        for each in message.ranges
    )
    return Bucketing(
        bucketing_id=message.bucketing_id,
        entity_id=message.entity_id,
        hash=message.hash,
        bucket=message.bucket,
        ranges=ranges,
        chosen_entity_id=message.chosen_entity_id,
    )


def _word(enum: EnumDescriptor, number: int, prefix: str) -> str:
    """The word of an enum's value; one of a newer sidecar is UNSPECIFIED."""
    value = enum.values_by_number.get(number)
    return "UNSPECIFIED" if value is None else value.name.removeprefix(prefix)
