"""One experiment that is asked for by its own key, apart from any flag.

Its walk is that of an experiment rule (`flags.FlagRule`), without what a flag puts around it. Rules: docs/semantics.md
K1 to K3.
"""

from __future__ import annotations

from typing import Final

from sidecar.decision.answers import Decision, FlagFacts, Reason, RuleType
from sidecar.decision.entities import Flag
from sidecar.decision.flags import FlagRule
from sidecar.decision.placement import Placement
from sidecar.decision.user import User
from sidecar.decision.variables import FlagVariables

NOT_FOUND: Final = Decision(flag_key="", rule_type=RuleType.EXPERIMENT, reason=Reason.EXPERIMENT_NOT_FOUND)
"""The decision of an experiment that the datafile does not have."""


class CompiledExperiment:
    """An experiment that can be decided by itself; its decisions have no flag key and no variables."""

    __slots__ = ("_nothing", "_rule")

    def __init__(self, placement: Placement) -> None:
        # No flag has declared a variable, so that nothing can be mistyped and complained about.
        no_flag = FlagFacts(key="", variables=FlagVariables(Flag(), None, _silent), send_flag_decisions=False)
        self._rule = FlagRule(no_flag, placement, RuleType.EXPERIMENT)
        reason = Reason.NO_RULE_MATCHED
        if not placement.running:
            reason = Reason.EXPERIMENT_NOT_RUNNING
        elif placement.unsupported:
            reason = Reason.CMAB_UNSUPPORTED
        self._nothing = Decision(
            flag_key="",
            rule_key=placement.key,
            rule_type=RuleType.EXPERIMENT,
            reason=reason,
            experiment_id=placement.id,
        )

    def decide(self, user: User) -> Decision:
        """Decide for one user; never raises (K2)."""
        return self._rule.test(user, None) or self._nothing


def _silent(_path: str, _complaint: str) -> None:
    """Takes complaints that cannot come."""
