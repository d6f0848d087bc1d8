"""A datafile described for people and tools: GetConfig.

Read again from its bytes on demand, so it costs no memory. What cannot be read is left out; the warnings of
the compiled datafile say what and why. Rules: docs/semantics.md G1, G2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sidecar.decision.answers import RuleType
from sidecar.decision.audiences import read_conditions
from sidecar.decision.conditions import OPERATORS, in_words
from sidecar.decision.datafile import Datafile, Entity
from sidecar.decision.entities import (
    AUDIENCE,
    FLAG,
    ROLLOUT,
    RULE,
    EntityBroken,
    Flag,
    Json,
    Reader,
    Rule,
    depth_of,
)
from sidecar.decision.parsing import listed
from sidecar.decision.variables import effective_type
from sidecar.limits import CONDITION_DEPTH_MAX

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationDescription:
    """One variation of a rule."""

    id: str
    key: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDescription:
    """One rule of a flag.

    `audiences` is in words, as `"aud1" AND ("aud2" OR "aud3")`, empty for everybody.
    """

    id: str
    key: str
    rule_type: RuleType
    status: str
    audiences: str
    variations: tuple[VariationDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableDescription:
    """One variable of a flag; `default_value` is as the datafile writes it."""

    id: str
    key: str
    type: str
    default_value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagDescription:
    """One flag; its rules in the order in which they are asked."""

    id: str
    key: str
    rules: tuple[RuleDescription, ...]
    variables: tuple[VariableDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceDescription:
    """One audience, its conditions in words."""

    id: str
    name: str
    conditions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDescription:
    """A datafile, as it stands. Events and attributes map keys to ids."""

    revision: str
    sdk_key: str
    environment_key: str
    flags: tuple[FlagDescription, ...]
    events: Mapping[str, str]
    attributes: Mapping[str, str]
    audiences: tuple[AudienceDescription, ...]


def describe(datafile: Datafile) -> ConfigDescription:
    """Describe every flag and audience that can be read, in datafile order."""
    audiences = tuple(
        described for entity in datafile.audiences.values() if (described := _audience(entity)) is not None
    )
    names = {audience.id: audience.name or audience.id for audience in audiences}
    flags = (_read(FLAG, entity) for entity in datafile.flags.values())
    return ConfigDescription(
        revision=datafile.revision,
        sdk_key=datafile.sdk_key,
        environment_key=datafile.environment_key,
        flags=tuple(_flag(flag, datafile, names) for flag in flags if flag is not None),
        events=datafile.event_ids,
        attributes=datafile.attribute_ids,
        audiences=audiences,
    )


def _read(reader: Reader[Shape], entity: Entity | None) -> Shape | None:
    try:
        return None if entity is None else reader.read(entity.raw)
    except EntityBroken:
        return None


def _flag(flag: Flag, datafile: Datafile, names: Mapping[str, str]) -> FlagDescription:
    experiments = (_read(RULE, datafile.experiments.get(id_)) for id_ in flag.experiment_ids)
    rollout = _read(ROLLOUT, datafile.rollouts.get(flag.rollout_id))
    deliveries = (_read(RULE, entity) for entity in listed("", rollout.experiments if rollout else ()))
    rules = [(rule, RuleType.FEATURE_TEST) for rule in experiments]
    rules += [(rule, RuleType.ROLLOUT) for rule in deliveries]
    return FlagDescription(
        id=flag.id,
        key=flag.key,
        rules=tuple(_rule(rule, rule_type, names) for rule, rule_type in rules if rule is not None),
        variables=tuple(
            VariableDescription(
                id=variable.id,
                key=variable.key,
                type=effective_type(variable),
                default_value=variable.default_value,
            )
            for variable in flag.variables
        ),
    )


def _rule(rule: Rule, rule_type: RuleType, names: Mapping[str, str]) -> RuleDescription:
    tree = rule.audience_ids if rule.audience_conditions is None else rule.audience_conditions
    return RuleDescription(
        id=rule.id,
        key=rule.key,
        rule_type=rule_type,
        status=rule.status,
        audiences=tree_in_words(tree, lambda leaf: f'"{names.get(str(leaf), leaf)}"', OPERATORS.__contains__),
        variations=tuple(
            VariationDescription(id=variation.id, key=variation.key, enabled=variation.feature_enabled)
            for variation in rule.variations
        ),
    )


def _audience(entity: Entity) -> AudienceDescription | None:
    audience = _read(AUDIENCE, entity)
    if audience is None:
        return None
    try:
        tree = read_conditions(audience, entity.path)
    except EntityBroken:
        return None
    words = tree_in_words(tree, in_words, lambda _: True)
    return AudienceDescription(id=audience.id, name=audience.name, conditions=words)


def tree_in_words(tree: Json, leaf: Callable[[Json], str], is_operator: Callable[[str], bool]) -> str:
    """A tree of conditions as a sentence with AND, OR, NOT and no more parentheses than it needs."""
    if depth_of(tree) > CONDITION_DEPTH_MAX:
        return "(nested too deeply)"
    words = _words(tree, leaf, is_operator)
    return words[1:-1] if words.startswith("(") and isinstance(tree, list) and words[0] != "N" else words


def _words(tree: Json, leaf: Callable[[Json], str], is_operator: Callable[[str], bool]) -> str:
    if not isinstance(tree, list):
        return str(leaf(tree))
    named = bool(tree) and isinstance(tree[0], str) and is_operator(tree[0])
    name, children = (tree[0], tree[1:]) if named else ("or", tree)
    operands = [_words(child, leaf, is_operator) for child in children]
    if name == "not":
        return f"NOT {operands[0]}" if operands else ""
    if not operands[1:]:
        return "".join(operands)
    return "(" + f" {name.upper()} ".join(operands) + ")"
