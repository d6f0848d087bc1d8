"""The example datafile: that it loads everywhere and shows what the documentation says it shows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from optimizely import logger, optimizely
from optimizely.event.event_processor import ForwardingEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings

from sidecar.decision import User, load

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop.json"
ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {"app_version": "2.4.0", "country": "DE"},
    {"app_version": "2.3.9", "country": "US", "is_member": True, "device": "phone"},
    {"app_version": "3.0.0-beta", "country": "FR", "device": "tablet", "plan": "free"},
    {"plan": "free", "email": "ann@example.com", "age": 18, "cart_value": 50},
    {"plan": "free", "email": "ann@shop.example", "age": 17, "cart_value": 99.5, "country": 5},
)


class CapturedEvents:
    """Stands for the network: keeps what the SDK would send."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def dispatch_event(self, event: Any) -> None:
        self.events.append(event.params)


@pytest.fixture
def captured() -> CapturedEvents:
    return CapturedEvents()


@pytest.fixture
def reference(captured: CapturedEvents) -> Any:
    return optimizely.Optimizely(
        datafile=SHOP.read_text(),
        event_dispatcher=captured,
        logger=logger.NoOpLogger(),
        event_processor=ForwardingEventProcessor(captured),
        settings=OptimizelySdkSettings(odp_disabled=True),
    )


def variation(reference: Any, user_id: str, flag_key: str, **attributes: object) -> str | None:
    key: str | None = reference.create_user_context(user_id, attributes).decide(flag_key).variation_key
    return key


def test_reference_sdk_accepts_the_datafile(reference: Any) -> None:
    flags = reference.get_optimizely_config().features_map
    paywalls = {"paywall_headline", "paywall_trial"}
    assert set(flags) == {"checkout_redesign", "free_shipping", "search_ranking"} | paywalls


def test_sidecar_loads_the_datafile_without_a_warning() -> None:
    shop = load(SHOP.read_bytes())
    assert shop.warnings == ()
    assert len(shop.flags) == 5


def test_sidecar_and_reference_decide_alike(reference: Any) -> None:
    shop = load(SHOP.read_bytes())
    for number in range(300):
        attributes = dict(ATTRIBUTES[number % len(ATTRIBUTES)])
        theirs = reference.create_user_context(f"u{number}", attributes).decide_all()
        ours = shop.decide_keys(User(f"u{number}", attributes))
        assert {each.flag_key: each.variation_key for each in ours} == {
            key: decision.variation_key or "" for key, decision in theirs.items()
        }


def test_every_id_is_used_once() -> None:
    shop = json.loads(SHOP.read_text())
    grouped = [rule for group in shop["groups"] for rule in group["experiments"]]
    delivered = [rule for rollout in shop["rollouts"] for rule in rollout["experiments"]]
    rules = shop["experiments"] + grouped + delivered
    variables = [variable for flag in shop["featureFlags"] for variable in flag["variables"]]
    named = [*shop["attributes"], *shop["events"], *shop["featureFlags"], *shop["typedAudiences"], *rules]
    variations = [variation for rule in rules for variation in rule["variations"]]
    ids = Counter(entity["id"] for entity in [*named, *variables, *variations])
    assert [entity_id for entity_id, times in ids.items() if times > 1] == []


def test_whitelisted_user_gets_the_express_checkout(reference: Any) -> None:
    assert variation(reference, "qa-anna", "checkout_redesign") == "express"


def test_all_three_checkouts_reach_about_a_third_of_new_apps(reference: Any) -> None:
    users = [variation(reference, f"u{n}", "checkout_redesign", app_version="2.4.1") for n in range(600)]
    counts = Counter(users)
    assert set(counts) == {"control", "one_page", "express"}
    assert all(150 < count < 250 for count in counts.values())


@pytest.mark.parametrize("attributes", [{"app_version": "2.3.9"}, {"app_version": "2.4.0", "device": "tablet"}])
def test_old_apps_and_tablets_keep_the_classic_checkout(reference: Any, attributes: dict[str, object]) -> None:
    assert variation(reference, "u1", "checkout_redesign", **attributes) == "off"


@pytest.mark.parametrize(
    ("attributes", "threshold"),
    [({"country": "AT"}, 29.0), ({"country": "US", "is_member": True}, 0.0)],
)
def test_free_shipping_depends_on_the_country(reference: Any, attributes: dict[str, object], threshold: float) -> None:
    decision = reference.create_user_context("u1", attributes).decide("free_shipping")
    assert decision.enabled
    assert decision.variables["threshold"] == threshold


def test_free_shipping_reaches_about_a_third_of_everyone_else(reference: Any) -> None:
    users = [variation(reference, f"u{n}", "free_shipping", country="FR") for n in range(600)]
    assert 140 < users.count("everyone_else") < 220
    assert set(users) == {"everyone_else", None}


def test_nobody_is_in_both_paywall_experiments(reference: Any) -> None:
    asked = {"plan": "free", "email": "ann@example.com"}
    flags = ["paywall_headline", "paywall_trial"]
    users = [reference.create_user_context(f"u{n}", asked).decide_for_keys(flags) for n in range(200)]
    in_tests = [[key for key, decision in user.items() if decision.variation_key] for user in users]
    assert {tuple(keys) for keys in in_tests} == {("paywall_headline",), ("paywall_trial",)}


def test_staff_see_no_trial(reference: Any) -> None:
    staff = [variation(reference, f"u{n}", "paywall_trial", plan="free", email=f"u{n}@shop.example") for n in range(50)]
    assert set(staff) == {None}


def test_hybrid_ranking_carries_nested_weights(reference: Any) -> None:
    contexts = (reference.create_user_context(f"u{n}", {"is_member": True}) for n in range(50))
    decisions = [context.decide("search_ranking") for context in contexts]
    hybrid = next(decision for decision in decisions if decision.variation_key == "hybrid")
    assert hybrid.variables["weights"]["boosts"] == {"new": 1.5, "sale": [1.2, 2.0]}
    assert hybrid.variables["page_size"] == 36
    assert hybrid.variables["personalised"] is True


@pytest.mark.parametrize("event_key", ["purchase", "add_to_cart", "sign_up"])
def test_events_of_the_shop_are_tracked(reference: Any, captured: CapturedEvents, event_key: str) -> None:
    reference.create_user_context("u1", {"country": "DE"}).track_event(event_key, {"revenue": 4200})
    assert captured.events[0]["visitors"][0]["snapshots"][0]["events"][0]["key"] == event_key


def test_run_configuration_points_at_the_shop() -> None:
    run = yaml.safe_load((ROOT / "examples" / "run.yaml").read_text())
    assert ROOT / run["datafiles"]["default"]["path"] == SHOP
