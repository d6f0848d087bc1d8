"""A datafile in words, as the message of `GetConfig`. What a field means: proto/sidecar/v1/datafile.proto."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from sidecar.decision import CompiledDatafile, RuleType
from sidecar.decision.description import (
    FlagDescription,
    RuleDescription,
    VariableDescription,
    VariationDescription,
)
from sidecar.pb import classic_pb2, datafile_pb2, reason_pb2
from sidecar.rpc.wire_values import to_wire

_RULE_TYPES: Final[Mapping[RuleType, reason_pb2.RuleType]] = {
    RuleType.FEATURE_TEST: reason_pb2.RULE_TYPE_FEATURE_TEST,
    RuleType.ROLLOUT: reason_pb2.RULE_TYPE_ROLLOUT,
    RuleType.HOLDOUT: reason_pb2.RULE_TYPE_HOLDOUT,
    RuleType.EXPERIMENT: reason_pb2.RULE_TYPE_EXPERIMENT,
}
_VARIABLE_TYPES: Final[Mapping[str, classic_pb2.VariableType]] = {
    "string": classic_pb2.VARIABLE_TYPE_STRING,
    "boolean": classic_pb2.VARIABLE_TYPE_BOOLEAN,
    "integer": classic_pb2.VARIABLE_TYPE_INTEGER,
    "double": classic_pb2.VARIABLE_TYPE_DOUBLE,
    "json": classic_pb2.VARIABLE_TYPE_JSON,
}

_Declared = Mapping[str, VariableDescription]


def config_message(compiled: CompiledDatafile, flag_keys: AbstractSet[str]) -> datafile_pb2.GetConfigResponse:
    """The description of a datafile; `flag_keys` empty = all flags. A flag that cannot be read is there by its key."""
    described = compiled.describe()
    readable = {flag.key: flag for flag in described.flags}
    wanted = [flag for key, flag in compiled.flags.items() if not flag_keys or key in flag_keys]
    return datafile_pb2.GetConfigResponse(
        revision=described.revision,
        sdk_key=described.sdk_key,
        environment_key=described.environment_key,
        flags=[_flag(flag.key, flag.problem, readable.get(flag.key)) for flag in wanted],
        events=[
            datafile_pb2.ConfigEvent(event_key=key, event_id=id_, experiment_keys=described.measured.get(key, ()))
            for key, id_ in described.events.items()
        ],
        attributes=[
            datafile_pb2.ConfigAttribute(attribute_key=key, attribute_id=id_)
            for key, id_ in described.attributes.items()
        ],
        audiences=[
            datafile_pb2.ConfigAudience(
                audience_id=audience.id, name=audience.name, conditions_json=audience.conditions_json
            )
            for audience in described.audiences
        ],
        holdouts=[_rule(holdout, {}) for holdout in described.holdouts],
    )


def disabled_flags(compiled: CompiledDatafile) -> Mapping[str, str]:
    """The keys of the flags that are disabled, each by the warning that says so: its path, a blank, its message."""
    return {flag.problem: key for key, flag in compiled.flags.items() if flag.problem}


def _flag(key: str, problem: str, flag: FlagDescription | None) -> datafile_pb2.ConfigFlag:
    if flag is None:
        return datafile_pb2.ConfigFlag(flag_key=key, invalid_reason=problem)
    declared = {variable.key: variable for variable in flag.variables}
    rules = [(rule.rule_type, _rule(rule, declared)) for rule in flag.rules]
    return datafile_pb2.ConfigFlag(
        flag_key=key,
        flag_id=flag.id,
        experiment_rules=[rule for rule_type, rule in rules if rule_type is not RuleType.ROLLOUT],
        delivery_rules=[rule for rule_type, rule in rules if rule_type is RuleType.ROLLOUT],
        variables=[
            datafile_pb2.ConfigVariable(
                variable_key=variable.key,
                variable_id=variable.id,
                variable_type=_VARIABLE_TYPES[variable.type],
                value=to_wire(variable.value),
            )
            for variable in flag.variables
        ],
        invalid_reason=problem,
    )


def _rule(rule: RuleDescription, declared: _Declared) -> datafile_pb2.ConfigRule:
    return datafile_pb2.ConfigRule(
        rule_key=rule.key,
        rule_id=rule.id,
        rule_type=_RULE_TYPES[rule.rule_type],
        status=rule.status,
        audiences=rule.audiences,
        variations=[_variation(variation, declared) for variation in rule.variations],
        local_holdouts=[_rule(holdout, {}) for holdout in rule.local_holdouts],
        experiment_type=rule.type,
    )


def _variation(variation: VariationDescription, declared: _Declared) -> datafile_pb2.ConfigVariation:
    return datafile_pb2.ConfigVariation(
        variation_key=variation.key,
        variation_id=variation.id,
        enabled=variation.enabled,
        traffic=variation.traffic,
        variables=[
            datafile_pb2.ConfigVariable(
                variable_key=key,
                variable_id=declared[key].id,
                variable_type=_VARIABLE_TYPES[declared[key].type],
                value=to_wire(value),
            )
            for key, value in variation.values.items()
        ],
    )
