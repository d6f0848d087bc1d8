"""Decisions as a caller sees them: frozen values, by the words of the contract.

Nothing here knows protobuf or a transport. The meaning of each field is fixed by
proto/sidecar/v1/decision.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sidecar_client.variables import Value, Variables


class Reason(StrEnum):
    """The step that settled a decision: `DecisionReason` of the contract, and one word of our own."""

    UNSPECIFIED = "UNSPECIFIED"
    """The sidecar is newer than this client and gave a reason that it does not know."""
    BUCKETED = "BUCKETED"
    ROLLOUT = "ROLLOUT"
    NO_RULE_MATCHED = "NO_RULE_MATCHED"
    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    FLAG_INVALID = "FLAG_INVALID"
    FLAG_FORCED = "FLAG_FORCED"
    RULE_FORCED = "RULE_FORCED"
    HOLDOUT = "HOLDOUT"
    FORCED_VARIATION = "FORCED_VARIATION"
    WHITELISTED = "WHITELISTED"
    STICKY = "STICKY"
    CMAB_UNSUPPORTED = "CMAB_UNSUPPORTED"
    EXPERIMENT_NOT_FOUND = "EXPERIMENT_NOT_FOUND"
    EXPERIMENT_NOT_RUNNING = "EXPERIMENT_NOT_RUNNING"
    SIDECAR_UNAVAILABLE = "SIDECAR_UNAVAILABLE"
    """No answer: this is the caller's default, and `reasons` says what went wrong."""


class RuleType(StrEnum):
    """The kind of rule that decided; UNSPECIFIED when no rule did."""

    UNSPECIFIED = "UNSPECIFIED"
    FEATURE_TEST = "FEATURE_TEST"
    ROLLOUT = "ROLLOUT"
    HOLDOUT = "HOLDOUT"
    EXPERIMENT = "EXPERIMENT"


class DecideOption(StrEnum):
    """How to decide, by the names of Optimizely's SDKs; added to the sidecar's default options."""

    DISABLE_DECISION_EVENT = "DISABLE_DECISION_EVENT"
    ENABLED_FLAGS_ONLY = "ENABLED_FLAGS_ONLY"
    IGNORE_USER_PROFILE_SERVICE = "IGNORE_USER_PROFILE_SERVICE"
    INCLUDE_REASONS = "INCLUDE_REASONS"
    EXCLUDE_VARIABLES = "EXCLUDE_VARIABLES"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedDecision:
    """A variation that the caller imposes; an empty `rule_key` forces the whole flag."""

    flag_key: str
    variation_key: str
    rule_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What one flag is for one user.

    An empty string means none. `reasons` are English for people, `reason` is for programs. `revision` and
    `decision_id` are those of the call that it came with; both are empty in a default that the caller made.

    Why without slots: a reply that is known is copied, and a dict in one step (`_replies`).
    """

    flag_key: str
    variation_key: str = ""
    enabled: bool = False
    variables: Variables = field(default_factory=Variables)
    rule_key: str = ""
    rule_type: RuleType = RuleType.UNSPECIFIED
    reason: Reason = Reason.UNSPECIFIED
    experiment_id: str = ""
    variation_id: str = ""
    reasons: tuple[str, ...] = ()
    revision: str = ""
    decision_id: str = ""
    error_reason: str = ""
    """Why this is the caller's default, by the word of the error, as `UNAVAILABLE`; empty when it was answered."""

    @classmethod
    def default(cls, flag_key: str, *, variation_key: str = "", enabled: bool = False, **variables: Value) -> Decision:
        """What a caller wants when there is no answer: `Decision.default("paywall", trial_days=7)`."""
        return cls(
            flag_key=flag_key,
            variation_key=variation_key,
            enabled=enabled,
            variables=Variables(variables, flag_key=flag_key),
        )


class Decisions(Mapping[str, Decision]):
    """The decisions of one call by flag key, in the order of the request or of the datafile.

    `revision` and `decision_id` are empty when the sidecar gave no answer; `error_reason` then says why.
    """

    __slots__ = ("_by_flag", "decision_id", "error_reason", "revision")

    def __init__(
        self, decisions: Sequence[Decision], *, revision: str = "", decision_id: str = "", error_reason: str = ""
    ) -> None:
        self._by_flag = {decision.flag_key: decision for decision in decisions}
        self.error_reason = error_reason
        self.revision = revision
        self.decision_id = decision_id

    def __getitem__(self, flag_key: str) -> Decision:
        return self._by_flag[flag_key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_flag)

    def __len__(self) -> int:
        return len(self._by_flag)

    def __repr__(self) -> str:
        return f"Decisions({list(self._by_flag.values())!r}, revision={self.revision!r})"
