"""What one decision looked at, step by step, and the same in English.

The rules write into it when they are given one; nothing here decides. Wanted by INCLUDE_REASONS and Explain,
both rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sidecar.values import Value

_SHOWN_CHARACTERS_MAX = 100


class StepKind(StrEnum):
    """What a step of a trace looked at."""

    FLAG = "FLAG"
    FORCED_DECISION = "FORCED_DECISION"
    HOLDOUT = "HOLDOUT"
    RULE = "RULE"
    STATUS = "STATUS"
    FORCED_VARIATION = "FORCED_VARIATION"
    WHITELIST = "WHITELIST"
    STICKY = "STICKY"
    CONDITION = "CONDITION"
    AUDIENCE = "AUDIENCE"
    GROUP = "GROUP"
    BUCKET = "BUCKET"
    VARIABLE = "VARIABLE"
    OUTCOME = "OUTCOME"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One step. `subject` is the key or id of what was looked at.

    `rule_key`, `rule_id` and `holdout_id` say within which rule and which holdout: a local holdout's steps have both.

    Fields that do not apply to the kind are empty. `answer` is None for unknown. `hash` is 32 bits unsigned;
    `bucket` and the range are hundredths of a percent, the range holds `range_start` and not `range_end`;
    both ends are None outside every range.
    """

    kind: StepKind
    subject: str
    text: str
    rule_key: str = ""
    rule_id: str = ""
    holdout_id: str = ""
    seen: Value = None
    answer: bool | None = None
    hash: int | None = None
    bucket: int | None = None
    range_start: float | None = None
    range_end: float | None = None


class Trace:
    """Collects the steps of one decision, in order. Not to be shared between decisions."""

    __slots__ = ("holdout_id", "rule_id", "rule_key", "steps")

    def __init__(self) -> None:
        self.steps: list[TraceStep] = []
        self.rule_key = self.rule_id = ""
        """The rule being looked at, empty outside all of them."""
        self.holdout_id = ""
        """The holdout being looked at, empty outside all of them."""

    def enter(self, rule_key: str = "", rule_id: str = "") -> None:
        """From now on steps are of this rule; of none without one."""
        self.rule_key, self.rule_id = rule_key, rule_id

    def reasons(self) -> list[str]:
        """The steps in English, one sentence each; the wording may change between versions."""
        return [step.text for step in self.steps]

    def note(self, kind: StepKind, subject: str, text: str, *, answer: bool | None = None) -> None:
        """Add a step that has nothing but an answer."""
        self._add(kind, subject, text, answer=answer)

    def condition(self, words: str, name: str, seen: Value, *, answer: bool | None) -> None:
        """A leaf of an audience: what it wants, the attribute's value, and what came out."""
        found = "no value" if seen is None else f"`{_shortened(seen)}`"
        text = f"condition {words} is {in_words(answer)}: the user has {found}"
        self._add(StepKind.CONDITION, name, text, seen=seen, answer=answer)

    def bucketed(
        self, bucketing_id: str, entity_id: str, *, hashed: int, bucket: int, within: tuple[float, float] | None
    ) -> None:
        """A look at traffic: where the user's hash falls, and in which range, None outside all of them."""
        where = "in no range" if within is None else f"in the range {within[0]} to {within[1]}"
        start, end = (None, None) if within is None else within
        text = f"bucketing id `{bucketing_id}` has bucket {bucket} of `{entity_id}`, {where}"
        self._add(StepKind.BUCKET, entity_id, text, hash=hashed, bucket=bucket, range_start=start, range_end=end)

    def _add(self, kind: StepKind, subject: str, text: str, **more: Any) -> None:  # noqa: ANN401 - fields of the step
        self.steps.append(
            TraceStep(
                kind=kind,
                subject=subject,
                text=text,
                rule_key=self.rule_key,
                rule_id=self.rule_id,
                holdout_id=self.holdout_id,
                **more,
            )
        )


def in_words(answer: bool | None) -> str:  # noqa: FBT001 - the value itself, not a switch
    """Three-valued truth in lower case."""
    return "unknown" if answer is None else str(answer).lower()


def _shortened(value: Value) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}…"
