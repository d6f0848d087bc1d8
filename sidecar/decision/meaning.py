"""What a flag means, and what changes it: two datafiles that decide and record alike have equal meanings.

A meaning is what is compiled, as JSON: order of keys, names of audiences, ids of audiences and what cannot be reached
are not in it; ids that buckets or events depend on are. Reference: docs/commands.md "diff".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from sidecar.decision.audience_tree import AudienceTrees, canonical
from sidecar.decision.compiled import CompiledDatafile
from sidecar.decision.datafile import Datafile, Entity
from sidecar.decision.entities import FLAG, ROLLOUT, RULE, USAGES, EntityBroken, Json, Rule, Variable
from sidecar.decision.flags import CompiledFlag, FlagRule
from sidecar.decision.parsing import listed
from sidecar.decision.placement import Arm, Placement
from sidecar.decision.shares import spans
from sidecar.decision.variables import FlagVariables, effective_type

_SETTINGS: Final = (
    "account_id",
    "project_id",
    "sdk_key",
    "environment_key",
    "region",
    "anonymize_ip",
    "bot_filtering",
    "send_flag_decisions",
    "attribute_ids",
    "event_ids",
)
"""Facts of the whole datafile, which change what is recorded and not what is decided."""


class Change(StrEnum):
    """What became of a flag."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChange:
    """One flag that does not mean the same any more; `what` has one line for each part of a changed one."""

    flag_key: str
    change: Change
    what: tuple[str, ...] = ()


def changed_flags(old: CompiledDatafile, new: CompiledDatafile) -> tuple[FlagChange, ...]:
    """The flags whose meaning differs: those of the old datafile in its order, then the added ones."""
    before, after = _Meanings(old), _Meanings(new)
    found = []
    for key in dict.fromkeys((*old.flags, *new.flags)):
        if key not in new.flags:
            found.append(FlagChange(flag_key=key, change=Change.REMOVED))
        elif key not in old.flags:
            found.append(FlagChange(flag_key=key, change=Change.ADDED))
        else:
            what = tuple(_differences(before.of(old.flags[key]), after.of(new.flags[key])))
            if what:
                found.append(FlagChange(flag_key=key, change=Change.CHANGED, what=what))
    return tuple(found)


def changed_settings(old: CompiledDatafile, new: CompiledDatafile) -> tuple[str, ...]:
    """The names of the facts of the whole datafile that differ, as `CompiledDatafile` has them."""
    return tuple(name for name in _SETTINGS if getattr(old, name) != getattr(new, name))


def _differences(before: Json, after: Json) -> Iterator[str]:
    """One line for each part that differs, from two meanings."""
    if before["state"] != after["state"]:
        yield f"was {before['state']}, is {after['state']}"
    for part in ("holdout", "rule", "delivery", "variable"):
        old, new = before[part], after[part]
        for key in dict.fromkeys((*old, *new)):
            if key not in new:
                yield f"{part} `{key}` is removed"
            elif key not in old:
                yield f"{part} `{key}` is added"
            else:
                # What only one of them has is not asked in the other, whose status says so.
                names = [name for name in old[key] if name in new[key] and _differ(old[key][name], new[key][name])]
                if names:
                    yield f"{part} `{key}`: {', '.join(names)}"
        common = [key for key in old if key in new]
        if part != "variable" and common != [key for key in new if key in old]:
            yield f"order of {part}s"


def _differ(old: Json, new: Json) -> bool:
    return _encoded(old) != _encoded(new)


def _encoded(value: Json) -> bytes:
    # As JSON, because for Python true, 1 and 1.0 are equal.
    return msgspec.json.encode(value, order="deterministic")


class _Meanings:
    """The meanings of one datafile's flags."""

    def __init__(self, compiled: CompiledDatafile) -> None:
        self._datafile = compiled.source
        self._trees = AudienceTrees(compiled.source)
        self._holdouts = _by_id(compiled.source.holdouts)
        self._local_holdouts = _by_id(compiled.source.local_holdouts)

    def of(self, flag: CompiledFlag) -> Json:
        """The meaning of one flag."""
        if flag.problem:
            return {"state": "disabled", "holdout": {}, "rule": {}, "delivery": {}, "variable": {}}
        deliveries = _deliveries(self._datafile, flag.key)
        variables = flag.facts.variables
        declared = FLAG.read(self._datafile.flags[flag.key].raw).variables
        return {
            "state": "valid",
            "holdout": _named((one.key, self._holdout(one, self._holdouts)) for one in flag.holdouts),
            "rule": _named((one.placement.key, self._experiment(one, variables)) for one in flag.experiments),
            "delivery": _named(
                (one.placement.key, self._delivery(one, deliveries, variables)) for one in flag.deliveries
            ),
            "variable": {one.key: _variable(one, variables) for one in declared},
        }

    def _experiment(self, rule: FlagRule, variables: FlagVariables) -> Json:
        placement = rule.placement
        meaning = self._common(rule, variables) | {"status": placement.running}
        if not placement.running:
            # Only its forced decisions and local holdouts are asked (D4).
            return meaning
        return meaning | {
            "type": [placement.type == "td", placement.unsupported],
            "audience": self._audience(_read(self._datafile.experiments.get(placement.id))),
            "traffic": _traffic(placement),
            "group": _group(placement),
            "whitelist": {user: arm.key for user, arm in placement.whitelist.items()},
        }

    def _delivery(self, rule: FlagRule, sources: Mapping[str, Rule], variables: FlagVariables) -> Json:
        placement = rule.placement
        return self._common(rule, variables) | {
            "type": placement.unsupported,
            "audience": self._audience(sources.get(placement.id)),
            "traffic": _traffic(placement),
        }

    def _common(self, rule: FlagRule, variables: FlagVariables) -> dict[str, Json]:
        placement = rule.placement
        return {
            "id": placement.id,
            "campaign": placement.layer_id,
            "variations": {arm.key: _variation(arm, variables) for arm in placement.arms},
            "local holdouts": [[one.key, self._holdout(one, self._local_holdouts)] for one in rule.local_holdouts],
        }

    def _holdout(self, placement: Placement, sources: Mapping[str, Rule]) -> Json:
        return {
            "id": placement.id,
            "campaign": placement.layer_id,
            "audience": self._audience(sources.get(placement.id)),
            "traffic": _traffic(placement),
            "variations": {arm.key: [arm.id, arm.enabled] for arm in placement.arms},
            "targeted deliveries": placement.excludes_targeted_deliveries,
        }

    def _audience(self, rule: Rule | None) -> Json:
        assert rule is not None, "what was compiled can be read again"
        return canonical(self._trees.of_rule(rule))


def _deliveries(datafile: Datafile, flag_key: str) -> Mapping[str, Rule]:
    flag = FLAG.read(datafile.flags[flag_key].raw)
    entity = datafile.rollouts.get(flag.rollout_id)
    return {} if entity is None else _by_id(listed("", ROLLOUT.read(entity.raw).experiments))


def _by_id(entities: Iterable[Entity]) -> dict[str, Rule]:
    return {rule.id: rule for entity in entities if (rule := _read(entity)) is not None}


def _read(entity: Entity | None) -> Rule | None:
    try:
        return None if entity is None else RULE.read(entity.raw)
    except EntityBroken:
        return None


def _variation(arm: Arm, variables: FlagVariables) -> Json:
    """Its values are nothing while it is disabled (V5)."""
    usages = () if arm.usages is None or not arm.enabled else USAGES.read(arm.usages)
    values = variables.overridden(usages)
    own = {key: value for key, value in values.items() if _encoded(value) != _encoded(variables.defaults[key])}
    return {"id": arm.id, "enabled": arm.enabled, "values": own}


def _variable(variable: Variable, variables: FlagVariables) -> Json:
    return {"type": effective_type(variable), "default": variables.defaults[variable.key]}


def _traffic(placement: Placement) -> Json:
    return [[first, after, arm.key] for first, after, arm in spans(placement.ranges) if arm is not None]


def _group(placement: Placement) -> Json:
    """Which draws of which group the rule gets; which of the other rules gets the rest does not matter here."""
    if placement.group is None:
        return None
    own = [[first, after] for first, after, id_ in spans(placement.group) if id_ == placement.id]
    return [placement.group.entity_id.decode(), own]


def _named(found: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """By key; a second one of a key is told by its number."""
    named: dict[str, Json] = {}
    for key, one in found:
        name, count = key, 1
        while name in named:
            count += 1
            name = f"{key}#{count}"
        named[name] = one
    return named
