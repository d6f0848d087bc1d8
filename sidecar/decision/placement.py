"""One rule apart from any flag: whom it admits and which of its variations they get.

An experiment, a delivery rule and a holdout place users in the same way; what surrounds that is in `flags`.
Rules: docs/semantics.md D4 to D7, B1 to B5. These values are in no cycle, so the collector need not track
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw, Struct

from sidecar.decision.bucketing import Ranges
from sidecar.decision.matches import Condition
from sidecar.decision.trace import StepKind, Trace, in_words
from sidecar.decision.user import User


class Arm(Struct, frozen=True, eq=False, gc=False, kw_only=True):
    """One variation of a rule, found by identity.

    `usages` is the raw list of its variables' values, None if empty.
    """

    id: str
    key: str
    enabled: bool
    usages: Raw | None
    place: int
    """Where it stands in its rule's `arms`."""


class Placement(Struct, frozen=True, eq=False, gc=False, kw_only=True):
    """A compiled rule. `audience` is None when everybody is admitted.

    `group` when the rule shares no traffic. `arms` has one entry for each variation. `whitelist` maps user
    ids to existing variations.
    """

    id: str
    key: str
    layer_id: str
    type: str
    running: bool
    unsupported: bool
    """It wants a prediction (`cmab`), which is not made here (D8)."""
    excludes_targeted_deliveries: bool
    audience: Condition | None
    group: Ranges[str] | None
    ranges: Ranges[Arm]
    arms: tuple[Arm, ...]
    whitelist: Mapping[str, Arm]

    def arm(self, variation_id: str | None) -> Arm | None:
        """The variation of that id, if the rule still has it."""
        return next((arm for arm in self.arms if arm.id == variation_id), None)

    def arm_of_key(self, variation_key: str) -> Arm | None:
        """The variation of that key; of two, which only a feature rollout can have, the last (D7)."""
        return next((arm for arm in reversed(self.arms) if arm.key == variation_key), None)

    def admits(self, user: User, trace: Trace | None = None) -> bool:
        """Whether the user is in the rule's audience; unknown is out (C1)."""
        audience = self.audience
        if audience is None:
            return True
        answer = audience(user.attributes, user.qualified_segments)
        if trace is not None:
            text = f"audience of `{self.key}` is {in_words(answer)}: the user is {'in' if answer else 'out'}"
            trace.note(StepKind.AUDIENCE, self.key, text, answer=answer)
        return answer is True

    def choose(self, user: User, trace: Trace | None = None) -> Arm | None:
        """The variation whose traffic holds the user; the group chooses the experiment first (B4)."""
        if self.group is not None:
            chosen = self.group.choose(user.bucketing_bytes, trace)
            if trace is not None:
                group_id = self.group.entity_id.decode()
                text = f"group `{group_id}` gives the user experiment `{chosen or 'none'}`"
                trace.note(StepKind.GROUP, group_id, text, answer=chosen == self.id)
            if chosen != self.id:
                return None
        return self.ranges.choose(user.bucketing_bytes, trace)
