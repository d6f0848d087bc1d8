"""Explains one decision: every rule of the flag, what became of it, and where the user was drawn.

Nothing is decided here a second time. A trace of the decision says which rules were asked and which step answered; what
stands at each of them is looked up beside it. Rules: docs/semantics.md D2 to D9, B1 to B5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sidecar.decision.answers import Decision, Reason, RuleType
from sidecar.decision.compiled import CompiledDatafile
from sidecar.decision.datafile import Entity
from sidecar.decision.entities import FLAG, ROLLOUT, RULE, EntityBroken, Rule
from sidecar.decision.explained import ExplainedRule, Explanation, RuleResult
from sidecar.decision.explaining_audiences import AudienceExplainer
from sidecar.decision.explaining_traffic import draw, draw_of_group
from sidecar.decision.flags import TARGETED_DELIVERY, CompiledFlag, FlagRule
from sidecar.decision.parsing import listed
from sidecar.decision.placement import Placement
from sidecar.decision.trace import StepKind, Trace, TraceStep
from sidecar.decision.user import User

_FIXED: Final = (StepKind.FORCED_DECISION, StepKind.FORCED_VARIATION, StepKind.WHITELIST, StepKind.STICKY)
"""Steps that give a user a variation before audience and traffic are asked."""


def explain(compiled: CompiledDatafile, user: User, flag_key: str) -> Explanation:
    """Decide one flag and say how; never raises. A flag that is unknown or invalid has no rules to show."""
    trace = Trace()
    decision = compiled.decide(user, flag_key, trace)
    flag = compiled.flags.get(flag_key)
    rules: tuple[ExplainedRule, ...] = ()
    if flag is not None and not flag.problem:
        rules = tuple(_Walk(compiled, flag, user, trace, decision).rules())
    return Explanation(decision=decision, bucketing_id=user.bucketing_id, rules=rules, reasons=tuple(trace.reasons()))


class _Walk:
    """The rules of one flag beside the steps of one decision."""

    def __init__(
        self, compiled: CompiledDatafile, flag: CompiledFlag, user: User, trace: Trace, decision: Decision
    ) -> None:
        self._datafile, self._flag, self._user, self._decision = compiled.source, flag, user, decision
        self._audiences = AudienceExplainer(compiled.source, user)
        self._steps: dict[tuple[str, str], list[TraceStep]] = {}
        """By rule and holdout, as `TraceStep` has them."""
        for step in trace.steps:
            self._steps.setdefault((step.rule_id, step.holdout_id), []).append(step)
        held = (holdout for holdout in flag.holdouts if self._held("", holdout.id))
        self._held_by = next(held, None)

    def rules(self) -> Iterator[ExplainedRule]:
        """Every rule in the order in which they are tried."""
        flag, source = self._flag, self._datafile
        for rule in _read(source.holdouts):
            yield self._holdout(rule, "", flag.holdouts)
        experiments = source.experiments
        for flag_rule in flag.experiments:
            rule = RULE.read(experiments[flag_rule.placement.id].raw)
            yield self._rule(flag_rule, rule, RuleType.FEATURE_TEST)
        delivered = {rule.id: rule for rule in _read(self._delivery_entities())}
        for flag_rule in flag.deliveries:
            yield self._rule(flag_rule, delivered[flag_rule.placement.id], RuleType.ROLLOUT)

    def _delivery_entities(self) -> Sequence[Entity]:
        if not self._flag.deliveries:
            return ()
        flag = FLAG.read(self._datafile.flags[self._flag.key].raw)
        return listed("", ROLLOUT.read(self._datafile.rollouts[flag.rollout_id].raw).experiments)

    def _rule(self, flag_rule: FlagRule, rule: Rule, rule_type: RuleType) -> ExplainedRule:
        placement = flag_rule.placement
        steps = self._steps.get((placement.id, ""), [])
        local = tuple(
            self._holdout(one, placement.id, flag_rule.local_holdouts)
            for one in _read(self._datafile.local_holdouts)
            if placement.id in (one.included_rules or ())
        )
        result = self._result(placement, steps, rule_type, held=any(one.result is RuleResult.CHOSEN for one in local))
        chosen = result is RuleResult.CHOSEN
        return self._explained(
            placement,
            rule,
            rule_type,
            result,
            steps,
            reason=self._decision.reason if chosen else None,
            variation_key=self._decision.variation_key if chosen else "",
            local_holdouts=local,
        )

    def _result(
        self, placement: Placement, steps: Sequence[TraceStep], rule_type: RuleType, *, held: bool
    ) -> RuleResult:
        if not steps:
            return RuleResult.HELD_OUT if self._passed_over(placement, rule_type) else RuleResult.NOT_REACHED
        if any(step.kind in _FIXED and step.answer for step in steps):
            return RuleResult.CHOSEN
        if held:
            return RuleResult.NOT_REACHED
        if _last(steps, StepKind.STATUS) is not None:
            return RuleResult.NOT_RUNNING
        if placement.unsupported and rule_type is RuleType.ROLLOUT:
            return RuleResult.CMAB_UNSUPPORTED
        if placement.audience is not None and not placement.admits(self._user):
            return RuleResult.AUDIENCE_MISSED
        if placement.unsupported:
            return RuleResult.CMAB_UNSUPPORTED
        taken = placement.choose(self._user) is not None
        return RuleResult.CHOSEN if taken else RuleResult.TRAFFIC_MISSED

    def _passed_over(self, placement: Placement, rule_type: RuleType) -> bool:
        """Whether a holdout that excludes targeted deliveries stands between the user and this rule (D3)."""
        held_by = self._held_by
        if held_by is None or not held_by.excludes_targeted_deliveries or rule_type is not RuleType.FEATURE_TEST:
            return False
        return placement.type != TARGETED_DELIVERY

    def _holdout(self, rule: Rule, rule_id: str, running: Sequence[Placement]) -> ExplainedRule:
        """One holdout: global when `rule_id` is empty, else before that rule. Only `running` ones are asked."""
        placement = next((one for one in running if one.id == rule.id), None)
        if placement is None:
            return ExplainedRule(
                rule_key=rule.key,
                rule_id=rule.id,
                rule_type=RuleType.HOLDOUT,
                result=RuleResult.NOT_RUNNING,
                status=rule.status,
            )
        steps = self._steps.get((rule_id, placement.id), [])
        arm = placement.choose(self._user) if self._held(rule_id, placement.id) else None
        if not steps:
            result = RuleResult.NOT_REACHED
        elif arm is not None:
            left = not rule_id and placement.excludes_targeted_deliveries
            result = RuleResult.HELD_OUT if left else RuleResult.CHOSEN
        elif not placement.admits(self._user):
            result = RuleResult.AUDIENCE_MISSED
        else:
            result = RuleResult.TRAFFIC_MISSED
        return self._explained(
            placement,
            rule,
            RuleType.HOLDOUT,
            result,
            steps,
            reason=Reason.HOLDOUT if arm is not None else None,
            variation_key=arm.key if arm is not None else "",
        )

    def _held(self, rule_id: str, holdout_id: str) -> bool:
        step = _last(self._steps.get((rule_id, holdout_id), ()), StepKind.HOLDOUT)
        return step is not None and step.answer is True

    def _explained(
        self,
        placement: Placement,
        rule: Rule,
        rule_type: RuleType,
        result: RuleResult,
        steps: Sequence[TraceStep],
        *,
        reason: Reason | None,
        variation_key: str,
        local_holdouts: tuple[ExplainedRule, ...] = (),
    ) -> ExplainedRule:
        asked = _last(steps, StepKind.AUDIENCE) is not None
        group = placement.group
        return ExplainedRule(
            rule_key=placement.key,
            rule_id=placement.id,
            rule_type=rule_type,
            result=result,
            status=rule.status,
            reason=reason,
            variation_key=variation_key,
            local_holdouts=local_holdouts,
            audience=self._audiences.of_rule(rule) if asked else None,
            group_bucketing=(
                draw_of_group(group, self._user, self._datafile)
                if group is not None and _last(steps, StepKind.GROUP) is not None
                else None
            ),
            bucketing=draw(placement, rule, self._user) if _drawn(steps, placement.id) else None,
            notes=tuple(step.text for step in steps),
        )


def _last(steps: Sequence[TraceStep], kind: StepKind) -> TraceStep | None:
    return next((step for step in reversed(steps) if step.kind is kind), None)


def _drawn(steps: Sequence[TraceStep], entity_id: str) -> bool:
    step = _last(steps, StepKind.BUCKET)
    return step is not None and step.subject == entity_id


def _read(entities: Sequence[Entity]) -> Iterator[Rule]:
    """The rules that can be read; the datafile's warnings name the others."""
    for entity in entities:
        try:
            yield RULE.read(entity.raw)
        except EntityBroken:
            continue
