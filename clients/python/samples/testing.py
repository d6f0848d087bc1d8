"""A unit test of code that decides and tracks, without a sidecar: `python testing.py`, or pytest."""

from __future__ import annotations

from decimal import Decimal

from sidecar_client import Client, Decision
from sidecar_client.testing import FakeSidecar


def checkout(client: Client) -> str:
    """The code under test."""
    user = client.user("user-1")
    steps = user.decide("checkout_redesign").variables.integer("steps", 4)
    user.track("purchase", revenue=Decimal("19.90"), currency="USD")
    return f"{steps} steps"


def test_express_checkout_has_one_step() -> None:
    """A fixed decision goes in, the event comes out."""
    fake = FakeSidecar([Decision.default("checkout_redesign", enabled=True, steps=1)])
    with fake.client() as client:
        assert checkout(client) == "1 steps"
    assert [event.name for event in fake.events] == ["purchase"]


def test_checkout_survives_an_outage() -> None:
    """Without a sidecar the default holds, and the event waits in the buffer."""
    fake = FakeSidecar()
    fake.fail()
    with fake.client(buffer_events_max=10, event_timeout_s=0.1) as client:
        assert checkout(client) == "4 steps"
        fake.recover()
        client.flush()
    assert [event.name for event in fake.events] == ["purchase"]


if __name__ == "__main__":
    test_express_checkout_has_one_step()
    test_checkout_survives_an_outage()
    print("both hold")
