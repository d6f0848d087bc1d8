"""From a parsed datafile to flags that decide.

Every entity is read once, and each fault disables what needs it alone. Work and memory are linear in the
datafile: rules are compiled once and shared, and what would be a product (flags times holdouts, rules shared
by flags) is bounded or made on demand. Rules: docs/semantics.md F4 to F8, and those it names.
"""

from __future__ import annotations

from contextlib import suppress
from sys import intern

from sidecar.decision.answers import FlagFacts, RuleType
from sidecar.decision.audiences import Audiences
from sidecar.decision.datafile import Datafile, Entity, Warnings
from sidecar.decision.entities import FLAG, RULE, EntityBroken, Flag, Rule
from sidecar.decision.flags import CompiledFlag, FlagRule
from sidecar.decision.placement import Placement
from sidecar.decision.placing import FEATURE_ROLLOUT, RUNNING, Placements
from sidecar.decision.trace import StepKind, Trace
from sidecar.decision.variables import Complain, FlagVariables
from sidecar.limits import FLAG_RULES_MAX
from sidecar.values import Pause


class FlagCompiler:
    """Compiles flags of one datafile, sharing what they share.

    With a trace, what it compiles writes down each step; then nothing is made ahead, since one decision is
    wanted.
    """

    def __init__(self, datafile: Datafile, warnings: Warnings, trace: Trace | None = None) -> None:
        self._datafile = datafile
        self._warnings = warnings
        self._trace = trace
        self.placements = Placements(datafile, Audiences(datafile, warnings, trace), warnings)
        self._complain = warnings.add if trace is None else _into(trace)
        self._prebuilt: set[Placement] = set()
        self._flag_rules = 0
        self._widened: dict[str, Placement] = {}
        """Feature rollouts by id, as the first flag that has one gives them the rest of their traffic (D7)."""
        self._global = tuple(placement for placement, _ in self._holdouts(datafile.holdouts, scoped=False))
        self._local: dict[str, list[Placement]] = {}
        for placement, rule_ids in self._holdouts(datafile.local_holdouts, scoped=True):
            for rule_id in dict.fromkeys(rule_ids):
                self._local.setdefault(rule_id, []).append(placement)

    def flag(self, key: str) -> CompiledFlag:
        """Compile the flag of that key, which must be in the datafile.

        A broken one is disabled, with a warning (F4).
        """
        entity = self._datafile.flags[key]
        try:
            return self._flag(entity)
        except EntityBroken as error:
            problem = f"is {error.got}, wanted {error.wanted}; flag `{key}` is disabled"
            self._warnings.add(error.path, problem)
            empty = FlagVariables(Flag(), None, self._complain)
            facts = FlagFacts(key=key, variables=empty, send_flag_decisions=False)
            return CompiledFlag(facts, problem=f"{error.path} {problem}")

    def experiments(self, pause: Pause) -> dict[str, Placement]:
        """The experiments of the datafile by key; a broken one is left out, with a warning.

        Called once the flags are compiled, since they widen feature rollouts (K1).
        """
        experiments: dict[str, Placement] = {}
        for id_, entity in self._datafile.experiments.items():
            try:
                placement = self._widened.get(id_) or self.placements.experiment(id_)
            except EntityBroken as error:
                said = f"is {error.got}, wanted {error.wanted}; experiment `{id_}` is disabled"
                self._warnings.add(error.path, said)
                continue
            if placement.key in experiments:
                said = f"`{placement.key}` is there twice; the last one is used by key"
                self._warnings.add(f"{entity.path}.key", said)
            experiments[placement.key] = placement
            pause()
        return experiments

    def deliveries(self, pause: Pause) -> dict[str, Placement]:
        """The rules of the rollouts by key, the last of two (K1); a broken rollout's are left out."""
        deliveries: dict[str, Placement] = {}
        for id_ in self._datafile.rollouts:
            # Why without a warning: the flags that name a broken rollout are disabled with one.
            with suppress(EntityBroken):
                deliveries.update((placement.key, placement) for placement in self.placements.rollout(id_))
            pause()
        return deliveries

    def _flag(self, entity: Entity) -> CompiledFlag:
        try:
            flag = FLAG.read(entity.raw)
            _check_variables(flag, entity, self._warnings)
        except EntityBroken as error:
            raise error.within(entity.path) from None
        variables = FlagVariables(flag, entity, self._complain)
        facts = FlagFacts(
            key=intern(flag.key),
            variables=variables,
            send_flag_decisions=self._datafile.send_flag_decisions,
        )
        delivered = self._deliveries(flag, entity)
        tested = self._experiments(flag, entity, delivered)
        self._count(len(tested) + len(delivered), entity)
        compiled = CompiledFlag(
            facts,
            holdouts=self._global,
            experiments=tuple(self._rule(facts, placement, RuleType.FEATURE_TEST) for placement in tested),
            deliveries=tuple(self._rule(facts, placement, RuleType.ROLLOUT) for placement in delivered),
        )
        variables.settle()
        return compiled

    def _experiments(self, flag: Flag, entity: Entity, delivered: tuple[Placement, ...]) -> list[Placement]:
        placements = []
        for index, id_ in enumerate(flag.experiment_ids):
            if id_ not in self._datafile.experiments:
                path = f"{entity.path}.experimentIds[{index}]"
                self._warnings.add(path, f"there is no experiment `{id_}`; it is skipped")
                continue
            placement = self.placements.experiment(id_)
            if placement.type == FEATURE_ROLLOUT and delivered and delivered[-1].arms:
                # D7: per flag, because the rest of the traffic gets this flag's own delivery.
                placement = self.placements.place(self._datafile.experiments[id_], delivered[-1].arms[0])
                self._widened.setdefault(id_, placement)
            placements.append(placement)
        return placements

    def _deliveries(self, flag: Flag, entity: Entity) -> tuple[Placement, ...]:
        if not flag.rollout_id:
            return ()
        if flag.rollout_id not in self._datafile.rollouts:
            self._warnings.add(f"{entity.path}.rolloutId", f"there is no rollout `{flag.rollout_id}`; it is skipped")
            return ()
        return self.placements.rollout(flag.rollout_id)

    def _rule(self, facts: FlagFacts, placement: Placement, rule_type: RuleType) -> FlagRule:
        rule = FlagRule(facts, placement, rule_type, tuple(self._local.get(placement.id, ())))
        # Why only for the first flag of a shared rule: for all, it could be flags times variations.
        if self._trace is None and placement not in self._prebuilt:
            self._prebuilt.add(placement)
            rule.answers.prebuild()
        return rule

    def _count(self, rules: int, entity: Entity) -> None:
        self._flag_rules += rules
        if self._flag_rules > FLAG_RULES_MAX:
            raise EntityBroken(entity.path, "past the bound on rules", f"at most {FLAG_RULES_MAX} rules of all flags")

    def _holdouts(self, entities: tuple[Entity, ...], *, scoped: bool) -> list[tuple[Placement, list[str]]]:
        """The running holdouts of one section, with the rules they stand before.

        A broken one is left out (F7).
        """
        found = []
        for entity in entities:
            try:
                rule = _read_holdout(entity, scoped=scoped)
            except EntityBroken as error:
                self._leave_out(error.within(entity.path))
                continue
            if not scoped and rule.included_rules is not None:
                path = f"{entity.path}.includedRules"
                self._warnings.add(path, "is ignored; a holdout listed in `holdouts` is for every flag")
            if rule.status == RUNNING:
                try:
                    found.append((self.placements.place(entity), rule.included_rules or []))
                except EntityBroken as error:
                    self._leave_out(error)
        return found

    def _leave_out(self, fault: EntityBroken) -> None:
        self._warnings.add(fault.path, f"is {fault.got}, wanted {fault.wanted}; the holdout is left out")


def _into(trace: Trace) -> Complain:
    return lambda place, complaint: trace.note(StepKind.VARIABLE, place, complaint)


def _read_holdout(entity: Entity, *, scoped: bool) -> Rule:
    rule = RULE.read(entity.raw)
    if scoped and rule.included_rules is None:
        raise EntityBroken("includedRules", "absent", "a list of rule ids")
    return rule


def _check_variables(flag: Flag, entity: Entity, warnings: Warnings) -> None:
    seen: set[str] = set()
    for index, variable in enumerate(flag.variables):
        path = f"variables[{index}].key"
        if not variable.key:
            raise EntityBroken(path, "absent", "a string")
        if variable.key in seen:
            warnings.add(f"{entity.path}.{path}", f"`{variable.key}` is there twice; the last one is used")
        seen.add(variable.key)
