"""The calls of Optimizely's SDKs before `decide`: an experiment by its own key, a flag as a feature, one variable.

Each decides once, with what is known of the user here, and records and tells what the SDK's call of that name does.
No wire, no waiting but for a store of forced variations. Rules: docs/semantics.md K1 to K9.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Final, NamedTuple

from sidecar.datafiles import Snapshot
from sidecar.decider import Decider
from sidecar.decision import Decision, Placement, Reason, User, VariableAnswer
from sidecar.errors import RequestInvalid, Violation
from sidecar.forced import ForcedVariations
from sidecar.limits import PROFILE_ANSWER_S
from sidecar.notifications import DecisionKind
from sidecar.sticky import Sticky
from sidecar.telemetry import Telemetry

_NO_FLAG: Final = (Reason.FLAG_NOT_FOUND, Reason.FLAG_INVALID)


class Asker(NamedTuple):
    """Who asks, at one snapshot: the user with what is known of them here, and the profile as it was looked up."""

    snapshot: Snapshot
    user: User
    profile: Sticky


class Recorded(NamedTuple):
    """A decision, and the id that it and its impressions have."""

    decision: Decision
    decision_id: str


class VariableResult(StrEnum):
    """Where the value of a variable comes from, or why there is none."""

    VARIATION = "VARIATION"
    DEFAULT = "DEFAULT"
    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    VALUE_INVALID = "VALUE_INVALID"


class FoundVariable(NamedTuple):
    """One variable of a decided flag; `answer` is None when there is no such variable."""

    decision: Decision
    answer: VariableAnswer | None
    result: VariableResult


_WITH_VALUE: Final = (VariableResult.VARIATION, VariableResult.DEFAULT, VariableResult.VALUE_INVALID)
"""The results of variables that are there, of the type asked for."""


class Classic:
    """The older calls, over one decider. Errors: only those named."""

    def __init__(self, *, decider: Decider, forced: ForcedVariations, telemetry: Telemetry) -> None:
        self._decider, self._forced, self._telemetry = decider, forced, telemetry

    # --- experiments ----------------------------------------------------------------------------------------------

    def activate(self, asker: Asker, experiment_key: str, call: bytes, decision_id: str) -> Recorded:
        """Decide one experiment, with its impression; `call` is the request as received (K3)."""
        decision = self._decide_experiment(asker, experiment_key)
        snapshot, user, _ = asker
        decision_id = self._decider.record(
            snapshot, user, _told(decision), call, decision_id, form="activate", kind=DecisionKind.EXPERIMENT
        )
        return Recorded(decision, decision_id)

    def variation(self, asker: Asker, experiment_key: str) -> Decision:
        """Decide one experiment, without an impression."""
        decision = self._decide_experiment(asker, experiment_key)
        self._decider.tell(asker.snapshot, asker.user, _told(decision), DecisionKind.EXPERIMENT)
        return decision

    # --- flags ----------------------------------------------------------------------------------------------------

    def feature(self, asker: Asker, flag_key: str, call: bytes, decision_id: str) -> Recorded:
        """Decide one flag, with the impressions of `is_feature_enabled` (K4)."""
        (decision,) = self._decide_flags(asker, (flag_key,))
        decision_id = self._record_features(asker, _told(decision), call, decision_id, "is_feature_enabled")
        return Recorded(decision, decision_id)

    def enabled_features(self, asker: Asker, call: bytes, decision_id: str) -> tuple[Sequence[str], str]:
        """The keys of the flags that are on, in datafile order, and the decision id (K5)."""
        decisions = self._decide_flags(asker, ())
        decision_id = self._record_features(asker, decisions, call, decision_id, "get_enabled_features")
        return [decision.flag_key for decision in decisions if decision.enabled], decision_id

    def variables(self, asker: Asker, flag_key: str) -> Decision:
        """Decide one flag for its variables, without an impression (K6)."""
        (decision,) = self._decide_flags(asker, (flag_key,))
        self._decider.tell(asker.snapshot, asker.user, _told(decision), DecisionKind.ALL_FEATURE_VARIABLES)
        return decision

    def variable(self, asker: Asker, flag_key: str, variable_key: str, wanted_type: str = "") -> FoundVariable:
        """One variable of a flag, without an impression; `wanted_type` as `VariableAnswer.type`, empty = any (K7)."""
        snapshot, user, _ = asker
        (decision,) = decisions = self._decider.decide(snapshot, user, (flag_key,))
        answer = snapshot.compiled.variable(decision, variable_key)
        result = _result(decision, answer, wanted_type)
        if result in _WITH_VALUE:
            self._decider.save_profile(snapshot, user, decisions, asker.profile)
            self._decider.tell(snapshot, user, decisions, DecisionKind.FEATURE_VARIABLE, variable_key=variable_key)
        return FoundVariable(decision, answer, result)

    # --- forced variations ----------------------------------------------------------------------------------------

    async def force(self, snapshot: Snapshot, user_id: str, experiment_key: str, variation_key: str) -> str:
        """Set the variation of one user in one experiment, or remove it when the key is empty (K8).

        Returns the key of the variation that was set before, empty for none, once the change is stored where it is to
        be. Raises `RequestInvalid` for an experiment or variation that the datafile does not have.
        """
        placement = snapshot.compiled.experiment(experiment_key)
        if placement is None:
            raise _unknown("experiment_key", experiment_key, f"experiment of revision `{snapshot.revision}`")
        arm = placement.arm_of_key(variation_key) if variation_key else None
        if variation_key and arm is None:
            raise _unknown("variation_key", variation_key, f"variation of experiment `{experiment_key}`")
        replaced = self._forced_key(snapshot, user_id, placement)
        self._forced.set(snapshot.name, user_id, placement.id, None if arm is None else arm.id)
        # Why not refused when the store is late: it is set, and the store's writer goes on and says so in the log.
        with suppress(TimeoutError):
            async with asyncio.timeout(PROFILE_ANSWER_S):
                await self._forced.stored()
        return replaced

    def forced(self, snapshot: Snapshot, user_id: str, experiment_key: str) -> str:
        """The key of the variation that is set; empty for none, or one that the datafile does not know any more."""
        placement = snapshot.compiled.experiment(experiment_key)
        return "" if placement is None else self._forced_key(snapshot, user_id, placement)

    def _forced_key(self, snapshot: Snapshot, user_id: str, placement: Placement) -> str:
        arm = placement.arm(self._forced.get(snapshot.name, user_id, placement.id))
        return "" if arm is None else arm.key

    # --- in common ------------------------------------------------------------------------------------------------

    def _decide_experiment(self, asker: Asker, experiment_key: str) -> Decision:
        snapshot, user, profile = asker
        decision = snapshot.compiled.decide_experiment(user, experiment_key)
        self._telemetry.decisions += 1
        self._decider.save_profile(snapshot, user, (decision,), profile)
        return decision

    def _decide_flags(self, asker: Asker, flag_keys: Sequence[str]) -> Sequence[Decision]:
        snapshot, user, profile = asker
        decisions = self._decider.decide(snapshot, user, flag_keys)
        self._decider.save_profile(snapshot, user, decisions, profile)
        return decisions

    def _record_features(
        self, asker: Asker, decisions: Sequence[Decision], call: bytes, decision_id: str, form: str
    ) -> str:
        return self._decider.record(
            asker.snapshot,
            asker.user,
            decisions,
            call,
            decision_id,
            form=form,
            kind=DecisionKind.FEATURE,
            holdouts=False,
        )


def _told(decision: Decision) -> Sequence[Decision]:
    """What there is to record and tell of a decision: nothing when the datafile has no such flag or experiment (K9)."""
    unknown = decision.reason in (Reason.FLAG_NOT_FOUND, Reason.EXPERIMENT_NOT_FOUND)
    return () if unknown else (decision,)


def _result(decision: Decision, answer: VariableAnswer | None, wanted_type: str) -> VariableResult:
    if decision.reason in _NO_FLAG:
        return VariableResult.FLAG_NOT_FOUND
    if answer is None:
        return VariableResult.VARIABLE_NOT_FOUND
    if wanted_type and answer.type != wanted_type:
        return VariableResult.TYPE_MISMATCH
    if not answer.valid:
        return VariableResult.VALUE_INVALID
    return VariableResult.VARIATION if answer.own else VariableResult.DEFAULT


def _unknown(field: str, key: str, what: str) -> RequestInvalid:
    return RequestInvalid([Violation(field, f"is `{key}`, which is no {what}; nothing was changed")])
