"""The fake sidecar, used as a user's unit test would."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sidecar_client import Client, Decision, Money, Reason, Unavailable
from sidecar_client.testing import FakeSidecar

EXPRESS = Decision.default("checkout", variation_key="express", enabled=True, steps=1, weights={"a": [1.5]})


def buy(client: Client) -> str:
    """The code under test."""
    user = client.user("u1", {"plan": "free"})
    steps = user.decide("checkout").variables.integer("steps", 4)
    user.track("purchase", revenue=Decimal("19.90"), currency="EUR", tags={"steps": steps})
    return f"{steps} steps"


def test_fixed_decision_reaches_the_code_and_its_event_is_recorded() -> None:
    fake = FakeSidecar([EXPRESS])
    with fake.client() as client:
        assert buy(client) == "1 steps"
    [event] = fake.events
    assert (event.kind, event.name, event.user_id, event.attributes) == (
        "track",
        "purchase",
        "u1",
        {"plan": "free"},
    )
    assert (event.revenue, event.tags) == (Money(Decimal("19.90"), "EUR"), {"steps": 1})
    [decided] = fake.decided
    assert (decided.user_id, decided.flag_key, decided.attributes) == ("u1", "checkout", {"plan": "free"})


def test_decision_comes_back_as_it_was_given() -> None:
    with FakeSidecar([EXPRESS]).client() as client:
        decision = client.user("u1").decide("checkout")
    assert (decision.variation_key, decision.enabled) == ("express", True)
    assert decision.variables == EXPRESS.variables


def test_other_flags_do_not_exist() -> None:
    with FakeSidecar([EXPRESS]).client() as client:
        decisions = client.user("u1").decide_for_keys(["other", "checkout"])
        assert decisions["other"].reason is Reason.FLAG_NOT_FOUND
        assert list(client.user("u1").decide_all()) == ["checkout"]


def test_a_failing_sidecar_defaults_decisions_and_refuses_events() -> None:
    fake = FakeSidecar([EXPRESS])
    with fake.client() as client:
        fake.fail()
        user = client.user("u1")
        assert user.decide("checkout").reason is Reason.SIDECAR_UNAVAILABLE
        with pytest.raises(Unavailable):
            user.track("purchase", timeout_s=0.05)
        fake.recover()
        assert user.decide("checkout").enabled
    assert fake.events == ()


def test_a_repeated_event_id_is_one_event() -> None:
    fake = FakeSidecar()
    with fake.client() as client:
        for _ in range(2):
            client.user("u1").track("purchase", event_id="order-7")
    assert [event.event_id for event in fake.events] == ["order-7"]


def test_every_kind_of_event_is_recorded_by_name() -> None:
    fake = FakeSidecar()
    with fake.client() as client:
        user = client.user("u1")
        user.identify({"a": 1})
        user.page("Home", category="c", properties={"url": "/"})
        user.screen("Cart")
        user.group("acme", {"n": 7})
        user.alias("u0")
        assert client.flush().complete
        assert client.status().revision == "1"
        assert next(client.watch()).revision == "1"
    assert [(event.kind, event.name) for event in fake.events] == [
        ("identify", ""),
        ("page", "Home"),
        ("screen", "Cart"),
        ("group", "acme"),
        ("alias", ""),
    ]
    assert (fake.events[0].traits, fake.events[1].category, fake.events[4].previous_id) == (
        {"a": 1},
        "c",
        "u0",
    )


async def test_the_fake_serves_asyncio_too() -> None:
    fake = FakeSidecar()
    fake.decide_as(EXPRESS)
    async with fake.async_client(strict=True) as client:
        assert (await client.user("u1").decide("checkout")).variation_key == "express"
        await client.user("u1").track("purchase")
        assert (await anext(client.watch())).revision == "1"
    assert len(fake.events) == 1
