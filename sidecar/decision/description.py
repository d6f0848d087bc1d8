"""A datafile described for people and tools: GetConfig.

Read again from its bytes on demand, so it costs no memory. What cannot be read is left out; the warnings of
the compiled datafile say what and why. Rules: docs/semantics.md G1, G2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, TypeVar

import msgspec

from sidecar.decision.answers import RuleType
from sidecar.decision.audiences import read_conditions
from sidecar.decision.bucketing import BUCKETS
from sidecar.decision.conditions import OPERATORS, in_words
from sidecar.decision.datafile import Datafile, Entity
from sidecar.decision.entities import (
    AUDIENCE,
    EVENT,
    EVENTS,
    FLAG,
    IDENTITY,
    JSON_ERRORS,
    ROLLOUT,
    RULE,
    USAGES,
    EntityBroken,
    Flag,
    Json,
    Reader,
    Rule,
    Variable,
    Variation,
    depth_of,
)
from sidecar.decision.parsing import listed
from sidecar.decision.variables import effective_type, value_of
from sidecar.limits import CONDITION_DEPTH_MAX
from sidecar.values import Value

PLACEHOLDER_ID: Final = "$opt_dummy_audience"
"""Stands in datafiles for old SDKs, which know no typed audiences."""

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationDescription:
    """One variation of a rule."""

    id: str
    key: str
    enabled: bool
    traffic: int
    """Its share of the rule's traffic, 0 to 10,000 hundredths of a percent."""
    values: Mapping[str, Value]
    """The variables that it sets, by key; null where the text is no value of the type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDescription:
    """One rule of a flag.

    `audiences` is in words, as `"aud1" AND ("aud2" OR "aud3")`, empty for everybody.
    """

    id: str
    key: str
    rule_type: RuleType
    status: str
    type: str
    """`ab`, `mab`, `cmab`, `td`, `fr`, as the datafile says; empty when it does not."""
    audiences: str
    variations: tuple[VariationDescription, ...]
    local_holdouts: tuple[RuleDescription, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableDescription:
    """One variable of a flag; `default_value` is as the datafile writes it, `value` what that means.

    A text that is no value of the type means null.
    """

    id: str
    key: str
    type: str
    default_value: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagDescription:
    """One flag; its rules in the order in which they are asked."""

    id: str
    key: str
    rules: tuple[RuleDescription, ...]
    variables: tuple[VariableDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceDescription:
    """One audience, its conditions in words and as JSON text."""

    id: str
    name: str
    conditions: str
    conditions_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDescription:
    """A datafile, as it stands. Events and attributes map keys to ids, `measured` events to keys of experiments."""

    revision: str
    sdk_key: str
    environment_key: str
    flags: tuple[FlagDescription, ...]
    events: Mapping[str, str]
    measured: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, str]
    audiences: tuple[AudienceDescription, ...]
    holdouts: tuple[RuleDescription, ...]


def describe(datafile: Datafile) -> ConfigDescription:
    """Describe every flag, holdout and audience that can be read, in datafile order, typed audiences first."""
    entities = sorted(datafile.audiences.values(), key=lambda entity: entity.section != "typedAudiences")
    audiences = tuple(described for entity in entities if (described := _audience(entity)) is not None)
    rules = _Rules(datafile, {audience.id: audience.name or audience.id for audience in audiences})
    flags = (_read(FLAG, entity) for entity in datafile.flags.values())
    return ConfigDescription(
        revision=datafile.revision,
        sdk_key=datafile.sdk_key,
        environment_key=datafile.environment_key,
        flags=tuple(_flag(flag, datafile, rules) for flag in flags if flag is not None),
        events=datafile.event_ids,
        measured=_measured(datafile),
        attributes=datafile.attribute_ids,
        audiences=tuple(audience for audience in audiences if audience.id != PLACEHOLDER_ID),
        holdouts=tuple(
            rules.holdout(rule) for entity in datafile.holdouts if (rule := _read(RULE, entity)) is not None
        ),
    )


def _read(reader: Reader[Shape], entity: Entity | None) -> Shape | None:
    try:
        return None if entity is None else reader.read(entity.raw)
    except EntityBroken:
        return None


def _flag(flag: Flag, datafile: Datafile, rules: _Rules) -> FlagDescription:
    experiments = (_read(RULE, datafile.experiments.get(id_)) for id_ in flag.experiment_ids)
    rollout = _read(ROLLOUT, datafile.rollouts.get(flag.rollout_id))
    deliveries = (_read(RULE, entity) for entity in listed("", rollout.experiments if rollout else ()))
    found = [(rule, RuleType.FEATURE_TEST) for rule in experiments]
    found += [(rule, RuleType.ROLLOUT) for rule in deliveries]
    by_id = {variable.id: variable for variable in flag.variables}
    return FlagDescription(
        id=flag.id,
        key=flag.key,
        rules=tuple(rules.rule(rule, rule_type, by_id) for rule, rule_type in found if rule is not None),
        variables=tuple(
            VariableDescription(
                id=variable.id,
                key=variable.key,
                type=effective_type(variable),
                default_value=variable.default_value,
                value=value_of(variable, variable.default_value),
            )
            for variable in flag.variables
        ),
    )


class _Rules:
    """Describes rules, with what they share: the names of audiences, and which local holdouts stand before them."""

    def __init__(self, datafile: Datafile, audience_names: Mapping[str, str]) -> None:
        self._names = audience_names
        self._local: dict[str, list[RuleDescription]] = {}
        for entity in datafile.local_holdouts:
            holdout = _read(RULE, entity)
            for id_ in dict.fromkeys(holdout.included_rules or () if holdout else ()):
                assert holdout is not None, "only one that was read has rules"
                self._local.setdefault(id_, []).append(self.holdout(holdout))

    def holdout(self, rule: Rule) -> RuleDescription:
        """A holdout, which sets no variables."""
        return self.rule(rule, RuleType.HOLDOUT, {})

    def rule(self, rule: Rule, rule_type: RuleType, variables: Mapping[str, Variable]) -> RuleDescription:
        """A rule; `variables` are those of its flag by id."""
        tree = rule.audience_ids if rule.audience_conditions is None else rule.audience_conditions
        shares = _shares(rule)
        return RuleDescription(
            id=rule.id,
            key=rule.key,
            rule_type=rule_type,
            status=rule.status,
            type=rule.type,
            audiences=tree_in_words(tree, self._name, OPERATORS.__contains__),
            variations=tuple(
                VariationDescription(
                    id=variation.id,
                    key=variation.key,
                    enabled=variation.feature_enabled,
                    traffic=shares.get(variation.id, 0),
                    values=_values(variation, variables),
                )
                for variation in rule.variations
            ),
            local_holdouts=tuple(self._local.get(rule.id, ())) if rule_type is not RuleType.HOLDOUT else (),
        )

    def _name(self, leaf: Json) -> str:
        return f'"{self._names.get(str(leaf), leaf)}"'


def _shares(rule: Rule) -> Mapping[str, int]:
    """How many of the buckets each variation gets; a range begins where the ones before it ended (B3)."""
    shares: dict[str, int] = {}
    taken = 0
    for allocation in rule.traffic_allocation:
        # Why the least first: an end of hundreds of digits is no float.
        end = ceil(min(allocation.end_of_range, BUCKETS))
        shares[allocation.entity_id] = shares.get(allocation.entity_id, 0) + max(0, end - taken)
        taken = max(taken, end)
    return shares


def _values(variation: Variation, variables: Mapping[str, Variable]) -> Mapping[str, Value]:
    try:
        usages = USAGES.read(variation.variables)
    except EntityBroken:
        return {}
    return {
        variable.key: value_of(variable, usage.value)
        for usage in usages or ()
        if (variable := variables.get(usage.id)) is not None
    }


def _measured(datafile: Datafile) -> Mapping[str, tuple[str, ...]]:
    """The experiments of each event, by keys; the events are read again from the body, which keeps only their ids."""
    measured = {}
    for raw in EVENTS.decode(datafile.body).events or ():
        event = _read(EVENT, Entity("events", 0, raw))
        if event is not None:
            found = (_read(IDENTITY, datafile.experiments.get(id_)) for id_ in event.experiment_ids)
            measured[event.key] = tuple(one.key for one in found if one is not None)
    return measured


def _audience(entity: Entity) -> AudienceDescription | None:
    audience = _read(AUDIENCE, entity)
    if audience is None:
        return None
    try:
        tree = read_conditions(audience, entity.path)
        written = audience.conditions
        text = written if isinstance(written, str) else msgspec.json.encode(written).decode()
    except (EntityBroken, *JSON_ERRORS):
        return None
    words = tree_in_words(tree, in_words, lambda _: True)
    return AudienceDescription(id=audience.id, name=audience.name, conditions=words, conditions_json=text)


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
