"""Events over a real connection: what goes out, that a retry never doubles, and how a refusal reads."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from clients.python.tests.scripted import Listening, ScriptedSidecar
from sidecar_client import (
    Client,
    DeadlinePassed,
    Money,
    OutcomeState,
    Refused,
    RequestRefused,
    SidecarError,
    User,
    connect,
)


@pytest.fixture
def client(listening: Listening) -> Iterator[Client]:
    with connect(listening.address) as client:
        yield client


@pytest.fixture
def user(client: Client) -> User:
    return client.user("u1", {"plan": "free"}, anonymous_id="a1")


def status(*details: Any) -> status_pb2.Status:
    refused = status_pb2.Status()
    for detail in details:
        refused.details.add().Pack(detail)
    return refused


def test_track_carries_everything_said(user: User, sidecar: ScriptedSidecar) -> None:
    accepted = user.track(
        "purchase",
        tags={"value": 9.5},
        properties={"products": [{"sku": "a", "price": 1}]},
        revenue=Money(Decimal("19.90"), "EUR"),
        context={"ip": "::1"},
        integrations={"All": False},
        timestamp=datetime(2024, 1, 2, tzinfo=UTC),
        event_id="order-7",
    )
    [request] = sidecar.requests["Track"]
    assert (request.user_id, request.anonymous_id, request.event_key) == ("u1", "a1", "purchase")
    assert request.attributes["plan"].string_value == "free"
    assert request.event_tags["value"].double_value == 9.5
    product = request.properties["products"].list_value.values[0].map_value.fields
    assert (product["sku"].string_value, product["price"].int_value) == ("a", 1)
    assert (request.revenue.amount, request.revenue.currency) == ("19.90", "EUR")
    assert request.context["ip"].string_value == "::1"
    assert request.integrations["All"].bool_value is False
    assert request.timestamp.ToDatetime(UTC) == datetime(2024, 1, 2, tzinfo=UTC)
    assert (accepted.event_id, accepted.exposure_seen_here) == ("order-7", True)


def test_outcome_of_each_destination_comes_back(user: User) -> None:
    outcomes = {each.destination: (each.state, each.reason) for each in user.track("purchase").outcomes}
    assert outcomes == {"console": (OutcomeState.QUEUED, ""), "shop": (OutcomeState.SKIPPED, "TOO_LARGE")}


def test_event_has_a_uuid_and_the_present_time(user: User, sidecar: ScriptedSidecar) -> None:
    before = time.time_ns()
    accepted = user.track("purchase")
    [request] = sidecar.requests["Track"]
    assert uuid.UUID(accepted.event_id).version == 7
    assert request.event_id == accepted.event_id
    assert before <= request.timestamp.ToNanoseconds() <= time.time_ns()


@pytest.mark.parametrize(
    ("amount", "sent"), [("1E+3", "1000"), ("0.10", "0.10"), ("-5", "-5"), ("12345678901234567890.01", None)]
)
def test_revenue_is_sent_exactly(user: User, sidecar: ScriptedSidecar, amount: str, sent: str | None) -> None:
    user.track("purchase", revenue=Decimal(amount), currency="USD")
    assert sidecar.requests["Track"][0].revenue.amount == (sent or amount)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"revenue": Decimal(5)}, "without a currency"),
        ({"currency": "USD"}, "without a revenue"),
        ({"revenue": Money(Decimal(5), "EUR"), "currency": "USD"}, "wanted it once"),
        ({"revenue": Decimal("NaN"), "currency": "USD"}, "wanted a finite amount"),
        ({"revenue": Decimal(5), "currency": "usd"}, "currency is `usd`"),
        ({"revenue": 5.0, "currency": "USD"}, "revenue amount is float"),
        ({"timestamp": datetime(2024, 1, 2)}, "without a time zone"),  # noqa: DTZ001 - the mistake to find
    ],
)
def test_a_mistake_in_an_event_is_named_and_nothing_is_sent(
    user: User, sidecar: ScriptedSidecar, options: Mapping[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        user.track("purchase", **options)
    assert "Track" not in sidecar.requests


def test_retried_event_keeps_its_id_and_time(user: User, sidecar: ScriptedSidecar) -> None:
    sidecar.fail(grpc.StatusCode.UNAVAILABLE, times=3)
    user.track("purchase", timeout_s=5)
    requests = sidecar.requests["Track"]
    assert len(requests) == 4
    assert len({request.SerializeToString(deterministic=True) for request in requests}) == 1


def test_refused_event_lists_every_violation(user: User, sidecar: ScriptedSidecar) -> None:
    violations = [("event_key", "is empty"), ("event_tags[revenue]", "is 1.5, wanted whole cents")]
    refused = error_details_pb2.BadRequest()
    for path, description in violations:
        refused.field_violations.add(field=path, description=description)
    info = error_details_pb2.ErrorInfo(reason="INVALID_ARGUMENT", domain="sidecar", metadata={"k": "v"})
    sidecar.fail(grpc.StatusCode.INVALID_ARGUMENT, status(info, refused))
    with pytest.raises(RequestRefused) as caught:
        user.track("purchase")
    assert [(each.field, each.description) for each in caught.value.violations] == violations
    assert caught.value.fault.metadata == {"k": "v"}
    assert not caught.value.retryable
    assert "event_tags[revenue]: is 1.5" in str(caught.value)


def test_full_outbox_says_when_to_retry_and_under_which_id(user: User, sidecar: ScriptedSidecar) -> None:
    pause = error_details_pb2.RetryInfo()
    pause.retry_delay.FromMilliseconds(2500)
    info = error_details_pb2.ErrorInfo(reason="OUTBOX_FULL", domain="sidecar")
    sidecar.fail(grpc.StatusCode.RESOURCE_EXHAUSTED, status(info, pause))
    with pytest.raises(Refused) as caught:
        user.track("purchase", event_id="order-7")
    error = caught.value
    assert (error.reason, error.code) == ("OUTBOX_FULL", "RESOURCE_EXHAUSTED")
    assert (error.retryable, error.retry_after_s, error.event_id) == (True, 2.5, "order-7")


def test_event_gives_up_at_its_deadline(user: User, sidecar: ScriptedSidecar) -> None:
    sidecar.hold.clear()
    with pytest.raises(DeadlinePassed) as caught:
        user.track("purchase", timeout_s=0.1)
    sidecar.hold.set()
    assert caught.value.retryable
    assert caught.value.event_id


def test_event_waits_for_a_restart_within_its_deadline(listening: Listening, client: Client) -> None:
    user = client.user("u1")
    user.track("purchase")
    listening.stop()
    with pytest.raises(SidecarError):
        user.track("purchase", timeout_s=0.2)
    listening.start()
    assert user.track("purchase", timeout_s=5).event_id


def test_the_other_events_carry_their_own_fields(user: User, sidecar: ScriptedSidecar) -> None:
    user.identify({"email": "a@example.com"})
    user.page("Home", category="shop", properties={"url": "/"})
    user.screen("Cart", properties={"items": 2})
    user.group("acme", {"employees": 7})
    user.alias("a0")
    sent = {kind: requests[0] for kind, requests in sidecar.requests.items()}
    assert sent["Identify"].traits["email"].string_value == "a@example.com"
    assert (sent["Page"].name, sent["Page"].category) == ("Home", "shop")
    assert sent["Page"].properties["url"].string_value == "/"
    assert (sent["Screen"].name, sent["Screen"].properties["items"].int_value) == ("Cart", 2)
    assert (sent["Group"].group_id, sent["Group"].traits["employees"].int_value) == ("acme", 7)
    assert sent["Alias"].previous_id == "a0"
    assert {(each.user_id, each.anonymous_id) for each in sent.values()} == {("u1", "a1")}
    assert len({each.event_id for each in sent.values()}) == 5
