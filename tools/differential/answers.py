"""What is asked and what is compared: a case, and one engine's answer to it in words that both share. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = Any
"""Any JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything about one caller. `profile` is None when sticky profiles are off for the call.

    `forced_decisions` maps (flag key, rule key or "") to a variation key, `forced_variations` and `profile` an
    experiment id to a variation id.
    """

    user_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    segments: tuple[str, ...] | None = None
    forced_decisions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    forced_variations: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] | None = None
    enabled_only: bool = False

    def as_json(self) -> Json:
        """For a report."""
        forced = [[*place, variation] for place, variation in self.forced_decisions.items()]
        return {**asdict(self), "forced_decisions": forced}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One flag asked for one person."""

    datafile: Json
    person: Person
    flag_key: str


class Impression(NamedTuple):
    """One impression, apart from user and time."""

    flag_key: str
    rule_key: str
    rule_type: str
    variation_key: str
    enabled: bool
    campaign_id: str
    experiment_id: str
    experiment_key: str
    variation_id: str


class Answer(NamedTuple):
    """One engine's answer. `problem`: there was none. `left_out`: the option for enabled flags took it away.

    `variables` are `shown`, so that 1, 1.0 and true differ; `saved` is what the sticky profile gains.
    """

    problem: str = ""
    left_out: bool = False
    variation_key: str = ""
    enabled: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    rule_key: str = ""
    rule_type: str = ""
    experiment_id: str = ""
    variation_id: str = ""
    impressions: tuple[Impression, ...] = ()
    saved: tuple[tuple[str, str], ...] = ()


def shown(variables: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Variables in a form that is equal only for values of one type."""
    return tuple(sorted((key, repr(value)) for key, value in variables.items()))


def differing(one: Answer, other: Answer) -> frozenset[str]:
    """The names of the fields that are not equal."""
    return frozenset(name for name in Answer._fields if getattr(one, name) != getattr(other, name))
