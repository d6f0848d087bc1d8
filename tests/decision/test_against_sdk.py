"""Whole decisions, impressions included, against the Python SDK on random well-formed datafiles."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from optimizely import logger, optimizely
from optimizely.event.event_processor import BaseEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.optimizely_user_context import OptimizelyUserContext as Context

from sidecar.decision import Decision, User, load
from tests.decision.building import document, exact, flag, holdout, rule, variation

ends = st.sampled_from([[], [10_000], [3_000, 6_000], [0, 10_000], [5_000, 4_000]])
audiences = st.sampled_from(
    [{}, {}, {}, {"audienceIds": ["1"]}, {"audienceConditions": ["not", "1"]}, {"audienceIds": ["9"]}]
)
VARIABLES = [{"id": "k1", "key": "k", "type": "integer", "defaultValue": "1"}]


@st.composite
def rules(draw: st.DrawFn, /, id_: str, key: str) -> dict[str, Any]:
    on = variation(f"{id_}1", f"{key}_on", variables=[{"id": "k1", "value": "2"}])
    off = variation(f"{id_}2", f"{key}_off", enabled=False)
    traffic = [
        {"entityId": entity, "endOfRange": end} for entity, end in zip((f"{id_}1", f"{id_}2"), draw(ends), strict=False)
    ]
    return rule(
        id_,
        key,
        variations=[on, off],
        trafficAllocation=traffic,
        status=draw(st.sampled_from(["Running", "Running", "Paused"])),
        type=draw(st.sampled_from(["ab", "td", "fr"])),
        forcedVariations=draw(st.sampled_from([{}, {}, {"u1": f"{key}_off"}, {"u1": "gone"}])),
        **draw(audiences),
    )


@st.composite
def holdouts(draw: st.DrawFn, /, id_: str, **more: Any) -> dict[str, Any]:
    end = draw(st.sampled_from([10_000, 5_000, 0]))
    return holdout(
        id_,
        f"ho{id_}",
        variations=[variation(f"{id_}1", "held", enabled=False)],
        trafficAllocation=[{"entityId": f"{id_}1", "endOfRange": end}],
        status=draw(st.sampled_from(["Running", "Running", "Draft"])),
        excludeTargetedDeliveries=draw(st.booleans()),
        **more,
        **draw(audiences),
    )


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    group = {
        "id": "g",
        "policy": draw(st.sampled_from(["random", "overlapping"])),
        "trafficAllocation": [{"entityId": "720", "endOfRange": 5_000}],
        "experiments": [draw(rules("720", "e720"))],
    }
    included = draw(st.sampled_from([["700"], ["800"], ["900", "710"]]))
    return document(
        sendFlagDecisions=draw(st.booleans()),
        featureFlags=[flag(variables=VARIABLES, experimentIds=draw(st.permutations(["700", "710", "720"])))],
        experiments=[draw(rules("700", "e700")), draw(rules("710", "e710"))],
        groups=[group],
        rollouts=[{"id": "ro", "experiments": [draw(rules(id_, f"r{id_}")) for id_ in ("800", "810", "900")]}],
        typedAudiences=[{"id": "1", "name": "a", "conditions": exact("x", "s")}],
        holdouts=[draw(holdouts("500"))],
        localHoldouts=draw(st.lists(holdouts("600", includedRules=included), max_size=1)),
    )


class Captured(BaseEventProcessor):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def process(self, user_event: Any) -> None:
        self.events.append(user_event)


def theirs(body: str, user: User) -> tuple[Any, ...]:
    events = Captured()
    client = optimizely.Optimizely(
        body, logger=logger.NoOpLogger(), event_processor=events, settings=OptimizelySdkSettings(odp_disabled=True)
    )
    attributes: Any = dict(user.attributes)
    context: Any = client.create_user_context(user.user_id, attributes)
    for (flag_key, rule_key), variation_key in (user.forced_decisions or {}).items():
        place = Context.OptimizelyDecisionContext(flag_key, rule_key or None)
        context.set_forced_decision(place, Context.OptimizelyForcedDecision(variation_key))
    answer = context.decide("f")
    impressions = [
        (one.flag_key, one.rule_key, one.rule_type, one.enabled, one.experiment.id, one.experiment.key)
        for one in events.events
    ]
    return answer.variation_key or "", answer.enabled, answer.rule_key or "", answer.variables, impressions


def ours(decision: Decision) -> tuple[Any, ...]:
    impressions = [
        (one.flag_key, one.rule_key, one.rule_type, one.enabled, one.experiment_id, one.experiment_key)
        for one in decision.impressions
    ]
    return decision.variation_key, decision.enabled, decision.rule_key, decision.variables, impressions


forced = st.sampled_from([None, None, {("f", ""): "e710_on"}, {("f", "e710"): "r900_on"}, {("f", "r800"): "e700_off"}])


@settings(max_examples=60, deadline=None)
@given(documents(), forced)
def test_every_decision_and_its_impressions_are_the_sdks(
    content: dict[str, Any], forced_decisions: dict[tuple[str, str], str] | None
) -> None:
    body = json.dumps(content)
    datafile = load(body.encode())
    assert datafile.warnings == () or {"audience `9`" in one.message for one in datafile.warnings} == {True}
    for index, attributes in enumerate(({}, {"x": "s"}, {"x": "t"}, {"x": "s"})):
        user = User(f"u{index}", attributes, None, forced_decisions)
        assert ours(datafile.decide(user, "f")) == theirs(body, user)
