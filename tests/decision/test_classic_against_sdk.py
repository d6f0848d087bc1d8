"""Every older call, its impressions, notifications and the profile it leaves, against the Python SDK's of that name.

Seeded random datafiles of two flags, four experiments and two rollouts; one user after the other asks everything. What
may differ is a ruling: V6, the variables of an enabled holdout's variation.
"""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from optimizely import logger, optimizely, user_profile
from optimizely.event.event_processor import BaseEventProcessor
from optimizely.helpers.enums import NotificationTypes
from optimizely.helpers.sdk_settings import OptimizelySdkSettings

from sidecar.classic import VariableResult
from sidecar.decision import RuleType
from sidecar.notifications import DecisionKind
from tests.decision.building import document, exact, flag, holdout, rule, variation
from tests.support.classic import Stand, activate_call

SEEDS = range(40)
DATAFILES_A_SEED = 4
EXPERIMENTS = ["e700", "e710", "e720", "e730", "r800", "r900", "nowhere"]
FLAGS = ["f", "g", "nowhere"]
VARIABLES = [
    {"id": "k1", "key": "count", "type": "integer", "defaultValue": "1"},
    {"id": "k2", "key": "rate", "type": "double", "defaultValue": "0.5"},
    {"id": "k3", "key": "on", "type": "boolean", "defaultValue": "false"},
    {"id": "k4", "key": "text", "type": "string", "defaultValue": "a"},
    {"id": "k5", "key": "tree", "type": "string", "subType": "json", "defaultValue": '{"a": [1, null]}'},
    {"id": "k6", "key": "broken", "type": "integer", "defaultValue": "one"},
]
USED = [
    {"id": "k1", "value": "7"},
    {"id": "k2", "value": "2.5"},
    {"id": "k3", "value": "true"},
    {"id": "k4", "value": "b"},
    {"id": "k5", "value": "[2]"},
    {"id": "k6", "value": "6"},
]
TYPES = ["integer", "double", "boolean", "string", "json"]
ENDS = [[], [10_000], [3_000, 6_000], [0, 10_000], [5_000, 4_000]]
AUDIENCES: list[dict[str, Any]] = [{}, {}, {}, {"audienceIds": ["1"]}, {"audienceConditions": ["not", "1"]}]
KINDS = {
    "ab-test": DecisionKind.EXPERIMENT,
    "feature-test": DecisionKind.EXPERIMENT,
    "feature": DecisionKind.FEATURE,
    "feature-variable": DecisionKind.FEATURE_VARIABLE,
    "all-feature-variables": DecisionKind.ALL_FEATURE_VARIABLES,
}


def make_rule(random: Random, id_: str, key: str, types: tuple[str, ...] = ("ab", "td", "fr")) -> dict[str, Any]:
    used = random.sample(USED, random.randrange(4))
    arms = [
        variation(f"{id_}1", f"{key}_on", variables=used),
        variation(f"{id_}2", f"{key}_off", enabled=False, variables=used),
    ]
    ends = zip((f"{id_}1", f"{id_}2"), random.choice(ENDS), strict=False)
    return rule(
        id_,
        key,
        variations=arms,
        trafficAllocation=[{"entityId": entity, "endOfRange": end} for entity, end in ends],
        status=random.choice(["Running", "Running", "Running", "Paused"]),
        type=random.choice(types),
        forcedVariations=random.choice([{}, {}, {"u1": f"{key}_off"}, {"u1": "gone"}]),
        **random.choice(AUDIENCES),
    )


def make_holdout(random: Random, id_: str, **more: Any) -> dict[str, Any]:
    return holdout(
        id_,
        f"ho{id_}",
        variations=[variation(f"{id_}1", "held", enabled=random.random() < 0.3)],
        trafficAllocation=[{"entityId": f"{id_}1", "endOfRange": random.choice([10_000, 3_000, 0])}],
        status=random.choice(["Running", "Draft"]),
        excludeTargetedDeliveries=random.random() < 0.5,
        **more,
        **random.choice(AUDIENCES),
    )


def make_document(random: Random) -> dict[str, Any]:
    """Only `f` may have feature rollouts: of a shared one the SDK gives every flag what the first one has (D7)."""
    group = {
        "id": "g",
        "policy": random.choice(["random", "overlapping"]),
        "trafficAllocation": [{"entityId": "720", "endOfRange": 5_000}],
        "experiments": [make_rule(random, "720", "e720")],
    }
    included = random.choice([["700"], ["800"], ["900", "710"]])
    return document(
        sendFlagDecisions=random.random() < 0.5,
        featureFlags=[
            flag(variables=VARIABLES, experimentIds=random.sample(["700", "710", "720"], 3)),
            flag("g", variables=VARIABLES, experimentIds=["700", "730"], rolloutId=random.choice(["", "ro2"])),
        ],
        experiments=[
            make_rule(random, "700", "e700", ("ab", "td")),
            make_rule(random, "710", "e710"),
            make_rule(random, "730", "e730", ("ab",)),
        ],
        groups=[group],
        rollouts=[
            {"id": "ro", "experiments": [make_rule(random, id_, f"r{id_}") for id_ in ("800", "810", "900")]},
            {"id": "ro2", "experiments": [make_rule(random, id_, f"r{id_}") for id_ in ("820", "920")]},
        ],
        typedAudiences=[{"id": "1", "name": "a", "conditions": exact("x", "s")}],
        holdouts=[make_holdout(random, "500")],
        localHoldouts=[make_holdout(random, "600", includedRules=included)] if random.random() < 0.5 else [],
    )


class Events(BaseEventProcessor):
    def __init__(self) -> None:
        self.made: list[Any] = []

    def process(self, user_event: Any) -> None:
        self.made.append(user_event)


class Profiles(user_profile.UserProfileService):
    """One user's profile, as the SDK keeps it."""

    def __init__(self) -> None:
        self.variations: dict[str, str] = {}

    def lookup(self, user_id: str) -> dict[str, Any]:
        kept = {id_: {"variation_id": variation_id} for id_, variation_id in self.variations.items()}
        return {"user_id": user_id, "experiment_bucket_map": kept}

    def save(self, user_profile: dict[str, Any]) -> None:
        kept = user_profile["experiment_bucket_map"]
        self.variations = {id_: one["variation_id"] for id_, one in kept.items()}


class Theirs:
    """The SDK with everything that it does captured."""

    def __init__(self, body: str) -> None:
        self.events, self.profiles = Events(), Profiles()
        self.client = optimizely.Optimizely(
            body,
            logger=logger.NoOpLogger(),
            event_processor=self.events,
            user_profile_service=self.profiles,
            skip_json_validation=True,
            settings=OptimizelySdkSettings(odp_disabled=True),
        )
        self.kinds: list[DecisionKind] = []
        self.client.notification_center.add_notification_listener(
            NotificationTypes.DECISION, lambda kind, *_: self.kinds.append(KINDS[kind])
        )

    def start(self, profile: dict[str, str]) -> None:
        """A new user: nothing forced, this profile."""
        self.client.decision_service.forced_variation_map.clear()
        self.profiles.variations = dict(profile)

    def did(self) -> tuple[Any, ...]:
        """Impressions, notifications and profile since the last look."""
        impressions = [
            (
                one.flag_key,
                one.rule_key,
                one.rule_type,
                one.enabled,
                one.experiment.id,
                one.experiment.layerId if one.rule_type != "holdout" else "",
                one.variation.id if one.variation else "",
                one.variation.key if one.variation else "",
                one.user_id,
                {each.key: each.value for each in one.visitor_attributes},
            )
            for one in self.events.made
        ]
        kinds = self.kinds[:]
        self.events.made.clear()
        self.kinds.clear()
        return impressions, kinds, dict(self.profiles.variations)


def ours_did(stand: Stand) -> tuple[Any, ...]:
    impressions = [
        (
            one.flag_key,
            one.rule_key,
            one.rule_type,
            one.enabled,
            one.experiment_id,
            one.campaign_id,
            one.variation_id,
            one.variation_key,
            one.origin.user_id,
            dict(one.attributes),
        )
        for one in stand.impressions()
    ]
    return impressions, [one.kind for one in stand.told()], dict(stand.kept.profile)


class Compared:
    """Both sides of one datafile, and what of the comparison is counted."""

    def __init__(self, random: Random, counted: Counter[str]) -> None:
        body, self.random = json.dumps(make_document(random)), random
        self.stand, self.theirs, self.counted = Stand(body.encode()), Theirs(body), counted

    def start(self, profile: dict[str, str]) -> None:
        self.theirs.start(profile)
        self.stand.kept.profile.clear()
        self.stand.kept.profile.update(profile)

    def same(self, call: str, ours: Any, theirs: Any) -> None:
        self.counted[call] += 1
        assert (ours, ours_did(self.stand)) == (theirs, self.theirs.did()), call

    async def force(self, user_id: str, experiment_key: str, variation_key: str) -> None:
        assert self.theirs.client.set_forced_variation(experiment_key, user_id, variation_key or None)
        await self.stand.classic.force(self.stand.snapshot, user_id, experiment_key, variation_key)
        forced = self.stand.classic.forced(self.stand.snapshot, user_id, experiment_key)
        self.same("forced", forced, self.theirs.client.get_forced_variation(experiment_key, user_id) or "")

    def experiments(self, user_id: str, attributes: Any) -> None:
        stand, client = self.stand, self.theirs.client
        for key in EXPERIMENTS:
            if self.random.random() < 0.5:
                looked = stand.classic.variation(stand.asker(user_id, attributes), key)
                self.counted[looked.reason] += 1
                self.same("get_variation", looked.variation_key, client.get_variation(key, user_id, attributes) or "")
            asker = stand.asker(user_id, attributes)
            decision = stand.classic.activate(asker, key, activate_call(asker), "").decision
            self.counted[decision.reason] += 1
            self.same("activate", decision.variation_key, client.activate(key, user_id, attributes) or "")

    def features(self, user_id: str, attributes: Any) -> None:
        stand, client = self.stand, self.theirs.client
        for key in FLAGS:
            asker = stand.asker(user_id, attributes)
            decision = stand.classic.feature(asker, key, activate_call(asker), "").decision
            self.counted[f"feature by {decision.rule_type}"] += 1
            self.same("is_feature_enabled", decision.enabled, client.is_feature_enabled(key, user_id, attributes))
        asker = stand.asker(user_id, attributes)
        keys, _ = stand.classic.enabled_features(asker, activate_call(asker), "")
        self.same("get_enabled_features", keys, client.get_enabled_features(user_id, attributes))

    def variables(self, user_id: str, attributes: Any) -> None:
        stand, client = self.stand, self.theirs.client
        for key in FLAGS:
            decision = stand.classic.variables(stand.asker(user_id, attributes), key)
            theirs = client.get_all_feature_variables(key, user_id, attributes)
            if decision.rule_type is RuleType.HOLDOUT and decision.enabled:  # V6
                self.counted["V6"] += 1
                assert decision.variables == stand.snapshot.compiled.flags[key].facts.variables.defaults
                assert ours_did(stand) == self.theirs.did()
                continue
            self.same("get_all_feature_variables", dict(decision.variables), theirs or {})
            for one in (*VARIABLES, {"key": "nowhere"}):
                self.variable(key, one["key"], user_id, attributes)

    def variable(self, flag_key: str, variable_key: str, user_id: str, attributes: Any) -> None:
        """Asked for without a type, or with one that may be another than it is declared with."""
        asked, wanted = (flag_key, variable_key, user_id, attributes), self.random.choice(["", "", *TYPES])
        asker = self.stand.asker(user_id, attributes)
        found = self.stand.classic.variable(asker, flag_key, variable_key, wanted)
        self.counted[f"variable {found.result}"] += 1
        value = None
        if found.result in (VariableResult.VARIATION, VariableResult.DEFAULT) and found.answer is not None:
            value = found.answer.value
        theirs = getattr(self.theirs.client, f"get_feature_variable_{wanted}" if wanted else "get_feature_variable")
        self.same("get_feature_variable", value, theirs(*asked))


@pytest.fixture(scope="module")
def counted() -> Counter[str]:
    return Counter()


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_call_answers_records_tells_and_saves_what_the_sdks_does(seed: int, counted: Counter[str]) -> None:
    random = Random(seed)
    for _ in range(DATAFILES_A_SEED):
        compared = Compared(random, counted)
        for number in range(3):
            user_id, attributes = f"u{number}", random.choice([{}, {"x": "s"}, {"x": "t"}])
            compared.start(random.choice([{}, {}, {"700": "7002", "710": "gone"}, {"720": "7201", "800": "8002"}]))
            if random.random() < 0.4:
                key = random.choice(["e700", "e710", "e720", "r800"])
                await compared.force(user_id, key, random.choice([f"{key}_on", f"{key}_off", ""]))
            asks = [compared.experiments, compared.features, compared.variables]
            random.shuffle(asks)
            for ask in asks:
                ask(user_id, attributes)
            await compared.force(user_id, "e700", "")


def test_every_way_to_be_decided_was_compared(counted: Counter[str]) -> None:
    wanted = {
        "EXPERIMENT_NOT_FOUND",
        "EXPERIMENT_NOT_RUNNING",
        "NO_RULE_MATCHED",
        "BUCKETED",
        "WHITELISTED",
        "STICKY",
        "FORCED_VARIATION",
        "V6",
        *(f"feature by {one}" for one in ("feature-test", "rollout", "holdout")),
        *(f"variable {one}" for one in VariableResult),
    }
    assert {name: counted[name] for name in wanted if counted[name] < 10} == {}
    calls = ("activate", "get_variation", "is_feature_enabled", "get_enabled_features", "get_feature_variable")
    assert sum(counted[call] for call in calls) > 15_000
