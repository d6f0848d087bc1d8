"""One compiled flag: the order in which its rules are asked.

This file is the decision. Rules: docs/semantics.md D1 to D9, each named where it is obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sidecar.decision.answers import Answers, Decision, FlagFacts, Reason, RuleType, nothing
from sidecar.decision.entities import USAGES
from sidecar.decision.placement import Arm, Placement
from sidecar.decision.short_way import short_way
from sidecar.decision.trace import StepKind, Trace
from sidecar.decision.user import User
from sidecar.decision.variables import VariableAnswer

TARGETED_DELIVERY = "td"


class FlagRule:
    """A rule in its place in one flag, with the holdouts that stand before it there."""

    __slots__ = ("answers", "local_holdouts", "placement")

    def __init__(
        self,
        flag: FlagFacts,
        placement: Placement,
        rule_type: RuleType,
        local_holdouts: tuple[Placement, ...] = (),
    ) -> None:
        self.placement = placement
        self.local_holdouts = local_holdouts
        self.answers = Answers(flag, rule_type, placement)

    def test(self, user: User, trace: Trace | None) -> Decision | None:
        """What the experiment answers by itself, in this order; None sends the user to the next rule (D4)."""
        placement = self.placement
        if not placement.running:
            if trace is not None:
                trace.note(StepKind.STATUS, placement.key, f"experiment `{placement.key}` is not running", answer=False)
            return None
        if user.forced_variations or placement.whitelist or user.profile:
            decision = self._fixed(user, trace)
            if decision is not None:
                return decision
        if not placement.admits(user, trace):
            return None
        if placement.unsupported:
            if trace is not None:
                text = f"rule `{placement.key}` is a contextual bandit, which is not supported: skipped"
                trace.note(StepKind.RULE, placement.key, text)
            return None
        return self.allot(user, trace)

    def allot(self, user: User, trace: Trace | None) -> Decision | None:
        """The decision that the user's bucket holds."""
        arm = self.placement.choose(user, trace)
        return None if arm is None else self.answers.of(arm)

    def _fixed(self, user: User, trace: Trace | None) -> Decision | None:
        """A variation set for this user by API, whitelist or profile (D5).

        One that is gone is passed over.
        """
        placement = self.placement
        forced = (user.forced_variations or {}).get(placement.id)
        sticky = (user.profile or {}).get(placement.id)
        for kind, reason, wanted, arm in (
            (StepKind.FORCED_VARIATION, Reason.FORCED_VARIATION, forced, placement.arm(forced)),
            (StepKind.WHITELIST, Reason.WHITELISTED, user.user_id, placement.whitelist.get(user.user_id)),
            (StepKind.STICKY, Reason.STICKY, sticky, placement.arm(sticky)),
        ):
            if arm is not None:
                if trace is not None:
                    text = f"variation `{arm.key}` of `{placement.key}` is set for the user ({reason.lower()})"
                    trace.note(kind, placement.key, text, answer=True)
                return self.answers.because(arm, reason)
            if trace is not None and wanted is not None and kind is not StepKind.WHITELIST:
                trace.note(kind, placement.key, f"variation `{wanted}` is no longer in `{placement.key}`", answer=False)
        return None


class CompiledFlag:
    """A flag that can be decided. `problem` says why it is disabled, empty when it is not."""

    __slots__ = (
        "_forceable",
        "_held",
        "_nothing",
        "_unruled",
        "deliveries",
        "experiments",
        "facts",
        "holdouts",
        "key",
        "plainly",
        "problem",
    )

    def __init__(
        self,
        facts: FlagFacts,
        *,
        holdouts: tuple[Placement, ...] = (),
        experiments: tuple[FlagRule, ...] = (),
        deliveries: tuple[FlagRule, ...] = (),
        problem: str = "",
    ) -> None:
        self.facts, self.key, self.problem = facts, facts.key, problem
        self.holdouts, self.experiments, self.deliveries = holdouts, experiments, deliveries
        self._forceable: dict[str, Arm] | None = None
        self._held: dict[Placement, Answers] = {}
        self._unruled: Answers | None = None
        if problem:
            self._nothing = Decision(flag_key=facts.key, reason=Reason.FLAG_INVALID)  # I2
        else:
            waits = any(rule.placement.unsupported and rule.placement.running for rule in experiments)
            self._nothing = nothing(facts, Reason.CMAB_UNSUPPORTED if waits else Reason.NO_RULE_MATCHED)

        shorter = None if problem else short_way(holdouts, experiments, deliveries, self._nothing)
        # Why not the walk where there is none: a method of its own would keep the flag alive in a cycle.
        self.plainly = None if shorter is None else shorter.decide
        """`walk` for a user who `is_plain`, by the short way; None where there is none."""

    def decide(self, user: User, trace: Trace | None = None) -> Decision:
        """Decide for one user; never raises. With a trace, every step is written down."""
        if user.is_plain and trace is None and self.plainly is not None:
            return self.plainly(user)
        return self.walk(user, trace)

    def walk(self, user: User, trace: Trace | None = None) -> Decision:
        """The decision in full: what any user is answered, whichever way is taken."""
        if user.forced_decisions:
            decision = self._forced(user, None, trace)  # D2
            if decision is not None:
                return decision
        for holdout in self.holdouts:  # D3
            arm = self._holds(holdout, user, trace)
            if arm is not None:
                return self._held_out(holdout, arm, user, trace)
        return self._ask(self.experiments, user, trace)

    def variable(self, decision: Decision, variable_key: str) -> VariableAnswer | None:
        """One variable under a decision that a rule of this flag made; None when it has no such variable (K7)."""
        raw = None
        if decision.enabled and decision.rule_type is not RuleType.HOLDOUT:
            rules = self.experiments if decision.rule_type is RuleType.FEATURE_TEST else self.deliveries
            chosen = (rule.placement for rule in rules if rule.placement.id == decision.experiment_id)
            arm = next((placement.arm(decision.variation_id) for placement in chosen), None)
            raw = None if arm is None else arm.usages
        return self.facts.variables.answer(variable_key, () if raw is None else USAGES.read(raw))

    def prebuilt(self) -> Iterator[Decision]:
        """The decisions that were made ahead: those that most users get."""
        yield self._nothing
        for rule in (*self.experiments, *self.deliveries):
            yield from rule.answers.prebuilt

    def _ask(self, experiments: Sequence[FlagRule], user: User, trace: Trace | None) -> Decision:
        for rule in experiments:  # D4
            if trace is not None:
                _enter(trace, rule)
            if user.forced_decisions or rule.local_holdouts:
                decision = self._overridden(rule, user, trace)
                if decision is not None:
                    return decision
            decision = rule.test(user, trace)
            if decision is not None:
                return decision
        return self._deliver(user, trace) or self._nothing

    def _deliver(self, user: User, trace: Trace | None) -> Decision | None:
        """Ask the rollout's rules (D6).

        Who is in a rule's audience but not in its traffic goes to the last one.
        """
        deliveries = self.deliveries
        for rule in deliveries:
            if trace is not None:
                _enter(trace, rule)
            if user.forced_decisions or rule.local_holdouts:
                decision = self._overridden(rule, user, trace)
                if decision is not None:
                    return decision
            if rule.placement.unsupported or not rule.placement.admits(user, trace):
                continue
            decision = rule.allot(user, trace)
            if decision is not None or rule is deliveries[-1]:
                return decision
            return self._deliver_last(user, trace)
        return None

    def _deliver_last(self, user: User, trace: Trace | None) -> Decision | None:
        last = self.deliveries[-1]
        if trace is not None:
            _enter(trace, last)
        decision = self._overridden(last, user, trace)
        if decision is None and not last.placement.unsupported and last.placement.admits(user, trace):
            decision = last.allot(user, trace)
        return decision

    def _overridden(self, rule: FlagRule, user: User, trace: Trace | None) -> Decision | None:
        """A rule's forced decision, then its local holdouts; both hold whatever the rule's status is (D4)."""
        if user.forced_decisions:
            decision = self._forced(user, rule, trace)
            if decision is not None:
                return decision
        for holdout in rule.local_holdouts:
            arm = self._holds(holdout, user, trace)
            if arm is not None:
                return self._answers_of(holdout).of(arm)
        return None

    def _forced(self, user: User, rule: FlagRule | None, trace: Trace | None) -> Decision | None:
        """Any variation of the flag may be forced on it or on any of its rules (D2)."""
        place = (self.key, rule.placement.key if rule is not None else "")
        wanted = (user.forced_decisions or {}).get(place)
        if wanted is None:
            return None
        arm = self._variations().get(wanted)
        if trace is not None:
            where = f"rule `{place[1]}`" if rule is not None else f"flag `{self.key}`"
            outcome = "is forced" if arm is not None else "cannot be forced, the flag has no such variation,"
            trace.note(
                StepKind.FORCED_DECISION,
                self.key,
                f"variation `{wanted}` {outcome} on {where}",
                answer=arm is not None,
            )
        if arm is None:
            return None
        if rule is not None:
            return rule.answers.because(arm, Reason.RULE_FORCED)
        if self._unruled is None:
            # I3: no rule decided, and the impression says so.
            self._unruled = Answers(self.facts, RuleType.FEATURE_TEST, None)
        return self._unruled.because(arm, Reason.FLAG_FORCED)

    def _variations(self) -> dict[str, Arm]:
        """By key, of experiments and then deliveries; one id counts once and the first of a key wins (D2)."""
        if self._forceable is None:
            by_id: dict[str, Arm] = {}
            for rule in (*self.experiments, *self.deliveries):
                for arm in rule.placement.arms:
                    by_id.setdefault(arm.id, arm)
            forceable: dict[str, Arm] = {}
            for arm in by_id.values():
                forceable.setdefault(arm.key, arm)
            self._forceable = forceable
        return self._forceable

    def _holds(self, holdout: Placement, user: User, trace: Trace | None) -> Arm | None:
        if trace is not None:
            trace.holdout_id = holdout.id
        arm = holdout.choose(user, trace) if holdout.admits(user, trace) else None
        if trace is not None:
            text = f"holdout `{holdout.key}` {'holds' if arm is not None else 'does not hold'} the user"
            trace.note(StepKind.HOLDOUT, holdout.key, text, answer=arm is not None)
            trace.holdout_id = ""
        return arm

    def _held_out(self, holdout: Placement, arm: Arm, user: User, trace: Trace | None) -> Decision:
        """Answer for a user whom a global holdout holds (D3).

        One that excludes targeted deliveries lets those and the rollout answer, beside its own impression (I4).
        """
        answers = self._answers_of(holdout)
        if not holdout.excludes_targeted_deliveries:
            return answers.of(arm)
        targeted = [rule for rule in self.experiments if rule.placement.type == TARGETED_DELIVERY]
        decision = self._ask(targeted, user, trace)
        return decision if decision.rule_type is RuleType.HOLDOUT else answers.beside(decision, arm)

    def _answers_of(self, holdout: Placement) -> Answers:
        answers = self._held.get(holdout)
        if answers is None:
            answers = self._held[holdout] = Answers(self.facts, RuleType.HOLDOUT, holdout)
        return answers


def _enter(trace: Trace, rule: FlagRule) -> None:
    trace.enter(rule.placement.key, rule.placement.id)
    trace.note(StepKind.RULE, rule.placement.key, f"asking rule `{rule.placement.key}`")
