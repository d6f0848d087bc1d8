"""Asks our engine, as the decision service does."""

from __future__ import annotations

import json
from collections.abc import Callable

from sidecar.decision import CompiledDatafile, Decision, Reason, User, load
from sidecar.errors import DatafileRejected
from tools.differential.answers import Answer, Impression, Json, Person, shown

Decide = Callable[[CompiledDatafile, User, str], Decision]
"""What is under test; a planted fault stands here to show that it is found."""
REJECTED = "rejected"


def decide(compiled: CompiledDatafile, user: User, flag_key: str) -> Decision:
    """The engine itself."""
    return compiled.decide(user, flag_key)


def compiled(datafile: Json) -> CompiledDatafile | None:
    """The datafile as our engine has it; None when it is rejected."""
    try:
        return load(json.dumps(datafile).encode())
    except DatafileRejected:
        return None


def user_of(person: Person) -> User:
    """The person as the engine knows it."""
    return User(
        person.user_id,
        person.attributes,
        None if person.segments is None else frozenset(person.segments),
        person.forced_decisions or None,
        person.forced_variations or None,
        person.profile or None,
    )


def answer(
    engine: Decide, datafile: CompiledDatafile | None, person: Person, flag_key: str
) -> tuple[Answer, Reason | None]:
    """Our answer, and why."""
    if datafile is None:
        return Answer(problem=REJECTED), None
    decision = engine(datafile, user_of(person), flag_key)
    impressions = tuple(
        Impression(
            one.flag_key,
            one.rule_key,
            one.rule_type.value,
            one.variation_key,
            one.enabled,
            one.campaign_id,
            one.experiment_id,
            one.experiment_key,
            one.variation_id,
        )
        for one in decision.impressions
    )
    saves = decision.saves_profile and person.profile is not None
    saved = ((decision.experiment_id, decision.variation_id),) if saves else ()
    if person.enabled_only and not decision.enabled:
        return Answer(left_out=True, impressions=impressions, saved=saved), decision.reason
    return (
        Answer(
            variation_key=decision.variation_key,
            enabled=decision.enabled,
            variables=shown(decision.variables),
            rule_key=decision.rule_key,
            rule_type=decision.rule_type.value,
            experiment_id=decision.experiment_id,
            variation_id=decision.variation_id,
            impressions=impressions,
            saved=saved,
        ),
        decision.reason,
    )
