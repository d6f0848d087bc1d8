"""What a decision says, and the place where each is made once and then shared.

`Decision` is compared and hashed by identity, so that whoever renders it can keep the bytes under it.
Rules: docs/semantics.md D1 to D9, V5, I1 to I5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from sidecar.decision.entities import USAGES, Usage
from sidecar.decision.placement import Arm, Placement
from sidecar.decision.variables import FlagVariables
from sidecar.values import Value

ANSWERS_MAX: Final = 1_024
"""Decisions kept per flag and rule; past it they are forgotten and made again. Real rules have two to ten."""
PREBUILT_VALUES_MAX: Final = 65_536
"""Variables times variations of one rule that are typed ahead; a larger product is typed on demand."""


class Reason(StrEnum):
    """Why a decision is what it is; stable, unlike the English of a trace."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    FLAG_INVALID = "FLAG_INVALID"
    FLAG_FORCED = "FLAG_FORCED"
    RULE_FORCED = "RULE_FORCED"
    HOLDOUT = "HOLDOUT"
    FORCED_VARIATION = "FORCED_VARIATION"
    WHITELISTED = "WHITELISTED"
    STICKY = "STICKY"
    BUCKETED = "BUCKETED"
    ROLLOUT = "ROLLOUT"
    NO_RULE_MATCHED = "NO_RULE_MATCHED"
    CMAB_UNSUPPORTED = "CMAB_UNSUPPORTED"
    EXPERIMENT_NOT_FOUND = "EXPERIMENT_NOT_FOUND"
    EXPERIMENT_NOT_RUNNING = "EXPERIMENT_NOT_RUNNING"


class RuleType(StrEnum):
    """What decided, as Optimizely's events spell it; `experiment` is only for the Classic calls."""

    FEATURE_TEST = "feature-test"
    ROLLOUT = "rollout"
    HOLDOUT = "holdout"
    EXPERIMENT = "experiment"


USUAL: Final[Mapping[RuleType, Reason]] = {
    RuleType.FEATURE_TEST: Reason.BUCKETED,
    RuleType.ROLLOUT: Reason.ROLLOUT,
    RuleType.HOLDOUT: Reason.HOLDOUT,
    RuleType.EXPERIMENT: Reason.BUCKETED,
}
"""Why a user has a variation when nothing but traffic chose it."""


class ImpressionPart(Struct, frozen=True, eq=False, gc=False, kw_only=True):
    """What one impression says apart from user and time. Keys and ids are empty when nothing was decided."""

    flag_key: str
    rule_key: str
    rule_type: RuleType
    variation_key: str
    enabled: bool
    campaign_id: str
    experiment_id: str
    experiment_key: str
    variation_id: str


class Decision(Struct, frozen=True, eq=False, gc=False, kw_only=True):
    """One flag's answer for one user, shared by all who get it in the same way.

    `impressions` are those it makes unless an option forbids: none, one, or two with a holdout that excludes
    targeted deliveries. `saves_profile` is true when (experiment_id, variation_id) belongs in a sticky profile.
    `variables` is shared: never change it.
    """

    flag_key: str
    variation_key: str = ""
    enabled: bool = False
    variables: Mapping[str, Value] = {}
    rule_key: str = ""
    rule_type: RuleType = RuleType.ROLLOUT
    reason: Reason
    experiment_id: str = ""
    variation_id: str = ""
    impressions: tuple[ImpressionPart, ...] = ()
    saves_profile: bool = False
    problems: tuple[str, ...] = ()
    """Which of its variables cannot be read, in English (V4)."""


class FlagFacts(Struct, frozen=True, eq=False, gc=False, kw_only=True):
    """What every decision of one flag shares."""

    key: str
    variables: FlagVariables
    send_flag_decisions: bool


class Answers:
    """The decisions of one flag under one rule (or none), each made at most once while it is kept."""

    __slots__ = ("_beside", "_flag", "_placement", "_prebuilt", "_rare", "_type")

    def __init__(self, flag: FlagFacts, rule_type: RuleType, placement: Placement | None) -> None:
        """`placement` is None for what is decided by no rule."""
        self._flag = flag
        self._type = rule_type
        self._placement = placement
        self._prebuilt: tuple[Decision, ...] = ()
        self._rare: dict[tuple[Arm, Reason], Decision] | None = None
        self._beside: dict[tuple[Decision, Arm], Decision] | None = None

    def of(self, arm: Arm) -> Decision:
        """The decision for a variation of the rule that the user's bucket holds."""
        prebuilt = self._prebuilt
        return prebuilt[arm.place] if prebuilt else self.because(arm, USUAL[self._type])

    def because(self, arm: Arm, reason: Reason) -> Decision:
        """The decision for a variation by a rarer reason: forced, whitelisted, sticky."""
        rare = self._rare
        if rare is None or len(rare) >= ANSWERS_MAX:
            rare = self._rare = {}
        decision = rare.get((arm, reason))
        if decision is None:
            decision = rare[(arm, reason)] = self._make(arm, reason)
        return decision

    def beside(self, decision: Decision, held_out: Arm) -> Decision:
        """A rule's decision for a user whom this holdout holds.

        The same, with the holdout's impression first (I4).
        """
        beside = self._beside
        if beside is None or len(beside) >= ANSWERS_MAX:
            beside = self._beside = {}
        doubled = beside.get((decision, held_out))
        if doubled is None:
            impressions = self.of(held_out).impressions + decision.impressions
            doubled = beside[(decision, held_out)] = structs.replace(decision, impressions=impressions)
        return doubled

    @property
    def prebuilt(self) -> tuple[Decision, ...]:
        """The decisions that were made ahead, one a variation."""
        return self._prebuilt

    def prebuild(self) -> None:
        """Make the decisions of every variation ahead, unless they are too many to be cheap."""
        arms = self._placement.arms if self._placement is not None else ()
        if len(arms) * (1 + len(self._flag.variables)) <= PREBUILT_VALUES_MAX:
            self._prebuilt = tuple(self._make(arm, USUAL[self._type]) for arm in arms)

    def _make(self, arm: Arm, reason: Reason) -> Decision:
        flag, placement = self._flag, self._placement
        rule_id, rule_key = ("", "") if placement is None else (placement.id, placement.key)
        # K3: an experiment has no flag that its variation could switch off.
        enabled = arm.enabled or self._type is RuleType.EXPERIMENT
        impression = ImpressionPart(
            flag_key=flag.key,
            rule_key=rule_key,
            rule_type=self._type,
            variation_key=arm.key,
            enabled=enabled,
            campaign_id="" if placement is None else placement.layer_id,
            experiment_id=rule_id,
            experiment_key=rule_key,
            variation_id=arm.id,
        )
        usages = self._usages(arm)
        variables = flag.variables.overridden(usages) if usages else flag.variables.defaults
        always = self._type is not RuleType.ROLLOUT
        return Decision(
            flag_key=flag.key,
            variation_key=arm.key,
            enabled=enabled,
            variables=variables,
            rule_key=rule_key,
            rule_type=self._type,
            reason=reason,
            experiment_id=rule_id,
            variation_id=arm.id,
            impressions=(impression,) if always or flag.send_flag_decisions else (),
            saves_profile=reason is Reason.BUCKETED,
            problems=_problems(flag, variables, usages),
        )

    def _usages(self, arm: Arm) -> Sequence[Usage]:
        """The variation's own values, which replace the defaults when it is enabled (V5).

        A holdout has none (V6).
        """
        if not arm.enabled or arm.usages is None or self._type is RuleType.HOLDOUT:
            return ()
        return USAGES.read(arm.usages)


def _problems(flag: FlagFacts, variables: Mapping[str, Value], usages: Sequence[Usage]) -> tuple[str, ...]:
    # Why so: only a null can be a problem, and nearly no flag has one.
    return flag.variables.problems(usages) if None in variables.values() else ()


def nothing(flag: FlagFacts, reason: Reason) -> Decision:
    """The decision when no rule answers: no variation, disabled, defaults (D9)."""
    impression = ImpressionPart(
        flag_key=flag.key,
        rule_key="",
        rule_type=RuleType.ROLLOUT,
        variation_key="",
        enabled=False,
        campaign_id="",
        experiment_id="",
        experiment_key="",
        variation_id="",
    )
    return Decision(
        flag_key=flag.key,
        variables=flag.variables.defaults,
        problems=_problems(flag, flag.variables.defaults, ()),
        reason=reason,
        impressions=(impression,) if flag.send_flag_decisions else (),
    )
