"""Asks optimizely-sdk 5.7.0: no network, no thread, no log; one client for each datafile, whoever asks.

A contextual bandit's prediction is the rule's first variation, so that R15 has something to differ from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from optimizely import entities, logger, optimizely
from optimizely.cmab.cmab_service import DefaultCmabService
from optimizely.event.event_processor import BaseEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.optimizely_user_context import OptimizelyUserContext as Context
from optimizely.user_profile import UserProfileService

from tools.differential.answers import Answer, Impression, Json, Person, shown
from tools.differential.ours import REJECTED

_VARIATION: Final = "variation_id"


class _Events(BaseEventProcessor):
    """Keeps the impressions of one call."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def process(self, user_event: object) -> None:
        self.made.append(user_event)


class _Profiles(UserProfileService):
    """One person's profile at a time; `saved` is what the SDK wrote last."""

    def __init__(self) -> None:
        self.now: Mapping[str, str] = {}
        self.saved: dict[str, str] = {}

    def lookup(self, user_id: str) -> dict[str, Any]:
        stored = {experiment: {_VARIATION: variation} for experiment, variation in self.now.items()}
        return {"user_id": user_id, "experiment_bucket_map": stored}

    def save(self, user_profile: dict[str, Any]) -> None:
        self.saved = {key: value[_VARIATION] for key, value in user_profile["experiment_bucket_map"].items()}


class _Bandit(DefaultCmabService):
    """Predicts the first variation of every rule."""

    def __init__(self) -> None:
        """Without the cache and the client of the real one."""

    def get_decision(self, project_config: Any, _user: object, rule_id: str, _options: object) -> Any:
        variations = project_config.experiment_id_map[rule_id].variations
        return {_VARIATION: variations[0]["id"] if variations else "", "cmab_uuid": "c"}, []


class _Client(optimizely.Optimizely):
    """The SDK's client, which also tells what its decision came from."""

    source: Any = None

    def _create_optimizely_decision(self, *arguments: Any, **named: Any) -> Any:
        self.source = arguments[2]
        return super()._create_optimizely_decision(*arguments, **named)


class Reference:
    """One datafile in the SDK."""

    def __init__(self, datafile: Json) -> None:
        self._events, self._profiles = _Events(), _Profiles()
        self._client: _Client | None = None
        try:
            client = _Client(
                json.dumps(datafile),
                logger=logger.NoOpLogger(),
                event_processor=self._events,
                user_profile_service=self._profiles,
                settings=OptimizelySdkSettings(odp_disabled=True),
                cmab_service=_Bandit(),
            )
        except Exception:  # noqa: BLE001 - the SDK raises anything at all for a datafile that it cannot read
            return
        if client.config_manager.get_config() is not None:
            self._client = client

    def answer(self, person: Person, flag_key: str) -> Answer:
        """The SDK's answer; `problem` says that it rejected the datafile or raised."""
        client = self._client
        if client is None:
            return Answer(problem=REJECTED)
        self._events.made, self._profiles.saved, client.source = [], {}, None
        self._profiles.now = person.profile or {}
        client.decision_service.forced_variation_map = {person.user_id: dict(person.forced_variations)}
        options = [] if person.profile is not None else ["IGNORE_USER_PROFILE_SERVICE"]
        context = _context(client, person)
        try:
            if person.enabled_only:
                decision = context.decide_for_keys([flag_key], [*options, "ENABLED_FLAGS_ONLY"]).get(flag_key)
            else:
                decision = context.decide(flag_key, options)
        except Exception as error:  # noqa: BLE001 - that it raises is what R4 and R6 are about
            return Answer(problem=f"raised {type(error).__name__}")
        return self._said(decision, client.source, person)

    def _said(self, decision: Any, source: Any, person: Person) -> Answer:
        impressions = tuple(_impression(one) for one in self._events.made)
        known = dict(person.profile or {})
        saved = tuple(sorted((key, value) for key, value in self._profiles.saved.items() if known.get(key) != value))
        if decision is None or (person.enabled_only and not decision.enabled):
            return Answer(left_out=True, impressions=impressions, saved=saved)
        return Answer(
            variation_key=decision.variation_key or "",
            enabled=decision.enabled,
            variables=shown(decision.variables or {}),
            rule_key=decision.rule_key or "",
            rule_type=str(source.source) if source is not None else "rollout",
            experiment_id=source.experiment.id if source is not None and source.experiment else "",
            variation_id=_of(source.variation, "id") if source is not None else "",
            impressions=impressions,
            saved=saved,
        )


def _context(client: _Client, person: Person) -> Any:
    attributes: Any = dict(person.attributes)
    context = Context(client, client.logger, person.user_id, attributes, identify=False)
    if person.segments is not None:
        context.set_qualified_segments(list(person.segments))
    for (flag_key, rule_key), variation_key in person.forced_decisions.items():
        place = Context.OptimizelyDecisionContext(flag_key, rule_key or None)
        context.set_forced_decision(place, Context.OptimizelyForcedDecision(variation_key))
    return context


def _of(variation: Any, name: str) -> str:
    """A field of a variation, which a holdout has as a dictionary and everything else as an entity."""
    if variation is None:
        return ""
    text: str = variation[name] if isinstance(variation, dict) else getattr(variation, name)
    return text


def _impression(event: Any) -> Impression:
    rule = event.experiment
    return Impression(
        event.flag_key,
        event.rule_key,
        str(event.rule_type),
        _of(event.variation, "key"),
        event.enabled,
        rule.layerId if isinstance(rule, entities.Experiment) else "",
        rule.id,
        rule.key,
        _of(event.variation, "id"),
    )
