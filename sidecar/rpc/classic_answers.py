"""The replies of `ClassicService`: asks `sidecar.classic`, and says what it answers in messages.

Each function takes the act, who asks, the parsed request and its bytes. They know no transport, and check nothing: the
request was checked before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sidecar.classic import Asker, Classic, VariableResult
from sidecar.decision import Decision
from sidecar.pb import classic_pb2
from sidecar.rpc.answers import rule_type
from sidecar.rpc.wire_values import to_wire

_TYPE_NAMES: Final[Mapping[int, str]] = {
    classic_pb2.VARIABLE_TYPE_UNSPECIFIED: "",
    classic_pb2.VARIABLE_TYPE_STRING: "string",
    classic_pb2.VARIABLE_TYPE_BOOLEAN: "boolean",
    classic_pb2.VARIABLE_TYPE_INTEGER: "integer",
    classic_pb2.VARIABLE_TYPE_DOUBLE: "double",
    classic_pb2.VARIABLE_TYPE_JSON: "json",
}
_VALUED: Final = (VariableResult.VARIATION, VariableResult.DEFAULT)


def activate(
    classic: Classic, asker: Asker, request: classic_pb2.ActivateRequest, call: bytes
) -> classic_pb2.ActivateResponse:
    """The reply to `Activate`."""
    decision, decision_id = classic.activate(asker, request.experiment_key, call, request.decision_id)
    return classic_pb2.ActivateResponse(
        variation_key=decision.variation_key,
        experiment_id=decision.experiment_id,
        variation_id=decision.variation_id,
        reason=_reason(decision),
        revision=asker.snapshot.revision,
        decision_id=decision_id,
    )


def variation(
    classic: Classic, asker: Asker, request: classic_pb2.GetVariationRequest, _call: bytes
) -> classic_pb2.GetVariationResponse:
    """The reply to `GetVariation`."""
    decision = classic.variation(asker, request.experiment_key)
    return classic_pb2.GetVariationResponse(
        variation_key=decision.variation_key,
        experiment_id=decision.experiment_id,
        variation_id=decision.variation_id,
        reason=_reason(decision),
        revision=asker.snapshot.revision,
    )


def feature(
    classic: Classic, asker: Asker, request: classic_pb2.IsFeatureEnabledRequest, call: bytes
) -> classic_pb2.IsFeatureEnabledResponse:
    """The reply to `IsFeatureEnabled`."""
    decision, decision_id = classic.feature(asker, request.flag_key, call, request.decision_id)
    return classic_pb2.IsFeatureEnabledResponse(
        enabled=decision.enabled,
        variation_key=decision.variation_key,
        rule_key=decision.rule_key,
        rule_type=rule_type(decision),
        reason=_reason(decision),
        revision=asker.snapshot.revision,
        decision_id=decision_id,
    )


def enabled_features(
    classic: Classic, asker: Asker, request: classic_pb2.GetEnabledFeaturesRequest, call: bytes
) -> classic_pb2.GetEnabledFeaturesResponse:
    """The reply to `GetEnabledFeatures`."""
    flag_keys, decision_id = classic.enabled_features(asker, call, request.decision_id)
    return classic_pb2.GetEnabledFeaturesResponse(
        flag_keys=flag_keys, revision=asker.snapshot.revision, decision_id=decision_id
    )


def variable(
    classic: Classic, asker: Asker, request: classic_pb2.GetFeatureVariableRequest, _call: bytes
) -> classic_pb2.GetFeatureVariableResponse:
    """The reply to `GetFeatureVariable`."""
    wanted_type = _TYPE_NAMES[request.variable_type]
    decision, answer, result = classic.variable(asker, request.flag_key, request.variable_key, wanted_type)
    return classic_pb2.GetFeatureVariableResponse(
        value=to_wire(answer.value) if answer is not None and result in _VALUED else None,
        variable_type=f"VARIABLE_TYPE_{'UNSPECIFIED' if answer is None else answer.type.upper()}",
        result=f"VARIABLE_RESULT_{result.value}",
        enabled=decision.enabled,
        variation_key=decision.variation_key,
        revision=asker.snapshot.revision,
    )


def variables(
    classic: Classic, asker: Asker, request: classic_pb2.GetAllFeatureVariablesRequest, _call: bytes
) -> classic_pb2.GetAllFeatureVariablesResponse:
    """The reply to `GetAllFeatureVariables`."""
    decision = classic.variables(asker, request.flag_key)
    return classic_pb2.GetAllFeatureVariablesResponse(
        variables={key: to_wire(value) for key, value in decision.variables.items()},
        enabled=decision.enabled,
        variation_key=decision.variation_key,
        reason=_reason(decision),
        revision=asker.snapshot.revision,
    )


def _reason(decision: Decision) -> str:
    return f"DECISION_REASON_{decision.reason.value}"
