"""Everything that is odd about a datafile that loads: what `sidecar check` prints.

Loading warns of what changes decisions and stays fast; this looks at the rest, and at what no flag uses. Each warning
is a fact with a JSON path: a false one would teach people not to read them. Rules: docs/semantics.md; the list:
docs/commands.md "check".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from sidecar.decision.audience_tree import AudienceTrees
from sidecar.decision.audiences import read_conditions
from sidecar.decision.bucketing import BUCKETS
from sidecar.decision.compiled import CompiledDatafile
from sidecar.decision.conditions import compile_audience
from sidecar.decision.datafile import DatafileWarning, Entity, Warnings
from sidecar.decision.entities import (
    AUDIENCE,
    EVENT,
    EVENTS,
    FLAG,
    ROLLOUT,
    RULE,
    USAGES,
    Allocation,
    EntityBroken,
    Flag,
    Json,
    Rule,
    Variable,
    broken,
)
from sidecar.decision.matchable import nobody_matches
from sidecar.decision.parsing import listed
from sidecar.decision.variables import effective_type, value_of

_SECTIONS: Final = ("featureFlags", "experiments", "groups", "rollouts", "audiences")
_TEXTS: Final = ("version", "revision", "accountId", "projectId")
_TYPES: Final = ("string", "boolean", "integer", "double", "json")
_RESERVED: Final = "$opt_"
_SHOWN_CHARACTERS_MAX: Final = 100
_STRICT: Final[Mapping[type, msgspec.json.Decoder[object]]] = {
    shape: msgspec.json.Decoder(shape) for shape in (Flag, Rule)
}

_Variables = Mapping[str, Variable]
"""Variables by id."""


def audit(compiled: CompiledDatafile) -> tuple[DatafileWarning, ...]:
    """All warnings of a datafile, those of loading first. Never raises; as many as docs/commands.md says."""
    flag_paths = {entity.path for entity in compiled.source.flags.values()}
    # Loading names the flag of a value that does not fit, the audit the value itself.
    kept = [one for one in compiled.warnings if not (one.path in flag_paths and one.message.startswith("variable `"))]
    found = _Audit(compiled).warnings()
    return tuple(dict.fromkeys((*kept, *found)))


class _Audit:
    """One look at one datafile."""

    def __init__(self, compiled: CompiledDatafile) -> None:
        self._datafile = compiled.source
        self._warnings = Warnings()
        self._trees = AudienceTrees(compiled.source)
        self._said = {warning.path for warning in compiled.warnings}
        self._of_experiment: dict[str, dict[str, Variable]] = {}
        self._of_rollout: dict[str, dict[str, Variable]] = {}

    def warnings(self) -> tuple[DatafileWarning, ...]:
        """Look at every section, flags first: they say which variables a rule can set."""
        self._top()
        for flag in self._datafile.flags.values():
            self._flag(flag)
        for id_, entity in self._datafile.experiments.items():
            self._rule(entity, self._of_experiment.get(id_), is_experiment=True)
        self._groups()
        delivered = set(self._deliveries())
        for entity in (*self._datafile.holdouts, *self._datafile.local_holdouts):
            rule = self._rule(entity, None)
            for index, id_ in enumerate(rule.included_rules or () if rule else ()):
                if id_ not in self._datafile.experiments and id_ not in delivered:
                    self._add(f"{entity.path}.includedRules[{index}]", f"there is no rule `{id_}`; it is skipped")
        for id_, entity in self._datafile.audiences.items():
            self._audience(id_, entity)
        self._events()
        return self._warnings.all()

    def _add(self, path: str, message: str) -> None:
        self._warnings.add(path, message)

    def _broken(self, error: EntityBroken, consequence: str) -> None:
        if error.path not in self._said:
            self._add(error.path, f"is {error.got}, wanted {error.wanted}; {consequence}")

    def _top(self) -> None:
        top = msgspec.json.decode(self._datafile.body, type=dict[str, msgspec.Raw])
        for name in _SECTIONS:
            if name not in top:
                self._add(name, "is absent; it is read as empty")
        for name in _TEXTS:
            if name in top and bytes(top[name])[:1] not in (b'"', b"n"):
                self._add(name, "is a number; it is read as its text")

    def _flag(self, entity: Entity) -> None:
        try:
            flag = FLAG.read(entity.raw)
        except EntityBroken:
            # Said when it was loaded: it disables the flag.
            return
        self._leniently(entity, Flag)
        for index, variable in enumerate(flag.variables):
            place = f"{entity.path}.variables[{index}]"
            if variable.type not in _TYPES:
                self._add(f"{place}.type", f"`{variable.type}` is no known type; the variable is a string")
            self._value(variable, variable.default_value, f"{place}.defaultValue")
        variables = {variable.id: variable for variable in flag.variables}
        for id_ in flag.experiment_ids:
            self._of_experiment.setdefault(id_, {}).update(variables)
        if flag.rollout_id:
            self._of_rollout.setdefault(flag.rollout_id, {}).update(variables)

    def _deliveries(self) -> Iterator[str]:
        """Look at the rules of every rollout; their ids."""
        for id_, place in self._datafile.rollouts.items():
            try:
                rollout = ROLLOUT.read(place.raw)
            except EntityBroken as error:
                self._broken(error.within(place.path), "flags that name the rollout are disabled")
                continue
            for entity in listed(f"{place.path}.experiments", rollout.experiments):
                rule = self._rule(entity, self._of_rollout.get(id_))
                if rule is not None:
                    yield rule.id

    def _rule(self, entity: Entity, variables: _Variables | None, *, is_experiment: bool = False) -> Rule | None:
        """Look at one rule; `variables` are those that it can set, None when no flag has it."""
        try:
            rule = RULE.read(entity.raw)
        except EntityBroken as error:
            self._broken(error.within(entity.path), "what needs the rule is disabled")
            return None
        self._leniently(entity, Rule)
        ids = {variation.id for variation in rule.variations}
        self._traffic(rule.traffic_allocation, f"{entity.path}.trafficAllocation", ids, "variation")
        if not rule.status and (is_experiment or "oldouts" in entity.section):
            self._add(f"{entity.path}.status", "is absent; the rule does not run")
        if is_experiment:
            self._whitelist(rule, entity)
        if variables is not None:
            self._usages(rule, entity, variables)
        self._admits(rule, entity)
        return rule

    def _whitelist(self, rule: Rule, entity: Entity) -> None:
        keys = {variation.key for variation in rule.variations}
        for user_id, key in rule.forced_variations.items():
            if key not in keys:
                said = f"there is no variation `{key}`; it fixes nobody"
                self._add(f"{entity.path}.forcedVariations[{_quoted(user_id)}]", said)

    def _usages(self, rule: Rule, entity: Entity, variables: _Variables) -> None:
        for at, variation in enumerate(rule.variations):
            try:
                usages = USAGES.read(variation.variables)
            except EntityBroken:
                # Said when it was loaded: it disables the flags of the rule.
                continue
            for index, usage in enumerate(usages or ()):
                place = f"{entity.path}.variations[{at}].variables[{index}]"
                variable = variables.get(usage.id)
                if variable is None:
                    self._add(f"{place}.id", f"no flag of the rule has a variable `{usage.id}`; its value is not used")
                elif variation.feature_enabled:
                    self._value(variable, usage.value, f"{place}.value")

    def _value(self, variable: Variable, text: str, place: str) -> None:
        kind = effective_type(variable)
        if value_of(variable, text) is None and not (kind == "json" and text.strip() == "null"):
            shown = text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}…"
            self._add(place, f"`{shown}` is no {kind}; variable `{variable.key}` is null")

    def _traffic(self, allocations: Sequence[Allocation], path: str, known: Iterable[str], what: str) -> None:
        taken: int | float = 0
        for index, one in enumerate(allocations):
            place = f"{path}[{index}]"
            if one.end_of_range > BUCKETS:
                self._add(f"{place}.endOfRange", f"`{one.end_of_range}` exceeds 100 %, which is {BUCKETS}")
            if one.end_of_range < taken:
                said = f"`{one.end_of_range}` is out of order: an earlier range ends at {taken}, this one holds no user"
                self._add(f"{place}.endOfRange", said)
            if one.entity_id and one.entity_id not in known:
                said = f"there is no {what} `{one.entity_id}`; its traffic gets nothing"
                self._add(f"{place}.entityId", said)
            taken = max(taken, one.end_of_range)

    def _groups(self) -> None:
        seen = set()
        for entity in self._datafile.experiments.values():
            if entity.group is not None and entity.group.id not in seen:
                seen.add(entity.group.id)
                path = f"{entity.section.removesuffix('.experiments')}.trafficAllocation"
                self._traffic(entity.group.traffic_allocation, path, self._datafile.experiments, "experiment")

    def _admits(self, rule: Rule, entity: Entity) -> None:
        try:
            nobody = nobody_matches(self._trees.of_rule(rule))
        except EntityBroken:
            # Said where the audience stands.
            return
        if nobody:
            name = "audienceIds" if rule.audience_conditions is None else "audienceConditions"
            self._add(f"{entity.path}.{name}", "nobody can match it; the rule's traffic reaches no user")

    def _audience(self, id_: str, entity: Entity) -> None:
        place = f"{entity.path}.conditions"
        try:
            tree = read_conditions(AUDIENCE.read(entity.raw), place)
            nobody = nobody_matches(self._trees.of_audience(id_))
        except EntityBroken as error:
            fault = error if error.path.startswith(entity.path) else error.within(entity.path)
            self._broken(fault, "what needs the audience is disabled")
            return
        compile_audience(tree, place, self._add)
        self._attributes(tree, place)
        if nobody:
            self._add(place, "nobody can match it")

    def _attributes(self, tree: Json, path: str) -> None:
        if isinstance(tree, list):
            for index, child in enumerate(tree):
                self._attributes(child, f"{path}[{index}]")
        elif isinstance(tree, dict) and tree.get("match") != "qualified" and tree.get("type") == "custom_attribute":
            name = tree.get("name")
            if isinstance(name, str) and name not in self._datafile.attribute_ids and not name.startswith(_RESERVED):
                self._add(f"{path}.name", f"no attribute has the key `{name}`; events cannot carry it")

    def _events(self) -> None:
        for entity in listed("events", EVENTS.decode(self._datafile.body).events):
            try:
                event = EVENT.read(entity.raw)
            except EntityBroken:
                # Said when it was loaded, if its key cannot be read; what it measures decides nothing.
                continue
            for index, id_ in enumerate(event.experiment_ids):
                if id_ not in self._datafile.experiments:
                    self._add(f"{entity.path}.experimentIds[{index}]", f"there is no experiment `{id_}`")

    def _leniently(self, entity: Entity, shape: type) -> None:
        """Name the first thing that is not written as Optimizely writes it, and is read all the same (F3)."""
        try:
            _STRICT[shape].decode(entity.raw)
        except msgspec.MsgspecError as error:
            fault = broken(error).within(entity.path)
            self._add(fault.path, f"is {fault.got}, wanted {fault.wanted}; it is read as if it were one")


def _quoted(text: str) -> str:
    return msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()
