"""Decisions over a real connection: what goes out, what comes back, and what happens when nothing does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import grpc
import pytest

from clients.python.tests.scripted import Listening, ScriptedSidecar
from sidecar_client import (
    Client,
    DeadlinePassed,
    DecideOption,
    Decision,
    Reason,
    RequestRefused,
    RuleType,
    Unavailable,
    connect,
)
from sidecar_client.pb import decision_pb2


@pytest.fixture
def client(listening: Listening) -> Iterator[Client]:
    with connect(listening.address) as client:
        yield client


def test_decision_carries_every_field_of_the_reply(client: Client) -> None:
    decision = client.user("u1").decide("checkout")
    assert (decision.flag_key, decision.variation_key, decision.enabled) == ("checkout", "on", True)
    assert (decision.rule_key, decision.rule_type, decision.reason) == (
        "rule",
        RuleType.FEATURE_TEST,
        Reason.BUCKETED,
    )
    assert (decision.experiment_id, decision.variation_id) == ("1", "2")
    assert (decision.reasons, decision.revision) == (("because",), "41")
    assert decision.variables.integer("int_value") == 2**53 + 1


def test_request_carries_user_attributes_and_a_uuid(client: Client, sidecar: ScriptedSidecar) -> None:
    client.user("u1", {"age": 42, "plan": "free"}, datafile="shop").decide("checkout")
    [request] = sidecar.requests["Decide"]
    assert (request.user_id, list(request.flag_keys), request.datafile) == ("u1", ["checkout"], "shop")
    assert {key: value.WhichOneof("kind") for key, value in request.attributes.items()} == {
        "age": "int_value",
        "plan": "string_value",
    }
    assert uuid.UUID(request.decision_id).version == 7


def test_works_over_a_unix_socket(on_socket: Listening) -> None:
    with connect(on_socket.address) as client:
        assert client.user("u1").decide("checkout").variation_key == "on"


def test_decide_all_asks_for_no_flag_and_keeps_the_order(client: Client, sidecar: ScriptedSidecar) -> None:
    decisions = client.user("u1").decide_all()
    assert list(decisions) == ["first", "second"]
    assert list(sidecar.requests["Decide"][0].flag_keys) == []
    assert decisions.revision == "41"


def test_decide_many_asks_once_for_all(client: Client, sidecar: ScriptedSidecar) -> None:
    assert list(client.user("u1").decide_for_keys(["b", "a"])) == ["b", "a"]
    assert len(sidecar.requests["Decide"]) == 1


def test_decide_many_of_nothing_asks_nothing(client: Client, sidecar: ScriptedSidecar) -> None:
    assert len(client.user("u1").decide_for_keys([])) == 0
    assert "Decide" not in sidecar.requests


def test_options_go_out_by_number(client: Client, sidecar: ScriptedSidecar) -> None:
    decision = client.user("u1").decide("off", options=[DecideOption.ENABLED_FLAGS_ONLY])
    assert list(sidecar.requests["Decide"][0].options) == [decision_pb2.DECIDE_OPTION_ENABLED_FLAGS_ONLY]
    assert (decision.flag_key, decision.enabled, decision.reason) == ("off", False, Reason.UNSPECIFIED)


def test_handle_keeps_forced_decisions_and_segments(client: Client, sidecar: ScriptedSidecar) -> None:
    user = client.user("u1").with_forced_decision("checkout", "a").with_forced_decision("checkout", "b")
    user.with_forced_decision("checkout", "c", rule_key="r").with_segments(["vip"]).decide("checkout")
    request = sidecar.requests["Decide"][0]
    forced = [(each.flag_key, each.rule_key, each.variation_key) for each in request.forced_decisions]
    assert forced == [("checkout", "", "b"), ("checkout", "r", "c")]
    assert list(request.qualified_segments.keys) == ["vip"]


def test_a_changed_handle_leaves_the_first_alone(client: Client, sidecar: ScriptedSidecar) -> None:
    user = client.user("u1", {"a": 1})
    user.with_attributes(b=2).with_forced_decision("checkout", "a").without_forced_decision("checkout").decide("x")
    user.decide("x")
    changed, first = sidecar.requests["Decide"]
    assert (set(changed.attributes), set(first.attributes)) == ({"a", "b"}, {"a"})
    assert len(changed.forced_decisions) == 0
    assert not first.HasField("qualified_segments")


def test_no_segments_is_not_unset(client: Client, sidecar: ScriptedSidecar) -> None:
    client.user("u1").with_segments([]).decide("x")
    assert sidecar.requests["Decide"][0].HasField("qualified_segments")


def test_token_and_datafile_of_the_client_are_sent(listening: Listening) -> None:
    with connect(listening.address, token=lambda: "secret", datafile="shop") as client:
        client.user("u1").decide("x")
    assert listening.script.metadata["authorization"] == "Bearer secret"
    assert listening.script.requests["Decide"][0].datafile == "shop"


def test_failed_decide_answers_the_default_and_counts(client: Client, sidecar: ScriptedSidecar) -> None:
    sidecar.fail(grpc.StatusCode.INTERNAL)
    default = Decision.default("checkout", variation_key="classic", steps=4)
    decision = client.user("u1").decide("checkout", default=default)
    assert (decision.variation_key, decision.variables.integer("steps")) == ("classic", 4)
    assert decision.reason is Reason.SIDECAR_UNAVAILABLE
    assert "told to fail" in decision.reasons[0]
    assert client.counters.decisions_defaulted == 1


def test_without_a_default_a_failed_decide_is_off() -> None:
    with connect("127.0.0.1:1") as client:
        decision = client.user("u1").decide("checkout")
    assert (decision.enabled, decision.variation_key, decision.reason) == (
        False,
        "",
        Reason.SIDECAR_UNAVAILABLE,
    )


def test_failed_decide_many_has_a_default_for_each_flag(client: Client, sidecar: ScriptedSidecar) -> None:
    sidecar.fail(grpc.StatusCode.INTERNAL, times=2)
    defaults = {"a": Decision.default("a", enabled=True)}
    user = client.user("u1")
    many = user.decide_for_keys(["a", "b"], defaults)
    assert [(each.flag_key, each.enabled) for each in many.values()] == [("a", True), ("b", False)]
    assert list(user.decide_all(defaults)) == ["a"]


def test_default_for_another_flag_is_a_mistake(client: Client) -> None:
    with pytest.raises(ValueError, match="flag `b`, wanted flag `a`"):
        client.user("u1").decide("a", default=Decision.default("b"))


@pytest.mark.parametrize("strict_client", [True, False])
def test_strict_decide_raises(listening: Listening, *, strict_client: bool) -> None:
    listening.script.fail(grpc.StatusCode.INVALID_ARGUMENT)
    with connect(listening.address, strict=strict_client) as client, pytest.raises(RequestRefused):
        client.user("u1").decide("a") if strict_client else client.user("u1").decide("a", strict=True)


def test_decide_gives_up_at_its_deadline(client: Client, sidecar: ScriptedSidecar) -> None:
    client.user("u1").decide("warm")
    sidecar.hold.clear()
    before = time.monotonic()
    with pytest.raises(DeadlinePassed):
        client.user("u1").decide("a", strict=True)
    took_s = time.monotonic() - before
    sidecar.hold.set()
    assert 0.25 <= took_s < 1.0


def test_retry_sends_the_same_decision_id(client: Client, sidecar: ScriptedSidecar) -> None:
    sidecar.fail(grpc.StatusCode.UNAVAILABLE, times=2)
    decision = client.user("u1").decide("a", timeout_s=5)
    assert decision.variation_key == "on"
    assert {request.decision_id for request in sidecar.requests["Decide"]} == {decision.decision_id}
    assert len(sidecar.requests["Decide"]) == 3
    assert client.counters.retries == 2


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_only_unavailable_is_retried(client: Client, sidecar: ScriptedSidecar, code: grpc.StatusCode) -> None:
    sidecar.fail(code)
    assert client.user("u1").decide("a").reason is Reason.SIDECAR_UNAVAILABLE
    assert len(sidecar.requests["Decide"]) == 1


def test_a_sidecar_that_is_gone_costs_less_than_the_deadline() -> None:
    with connect("127.0.0.1:1") as client:
        user = client.user("u1")
        with pytest.raises(Unavailable):
            user.decide("a", strict=True)
        before = time.monotonic()
        user.decide("a")
        assert time.monotonic() - before < 0.15


def test_restarted_sidecar_is_found_again(listening: Listening) -> None:
    with connect(listening.address) as client:
        user = client.user("u1")
        assert user.decide("a").reason is Reason.BUCKETED
        listening.stop()
        assert user.decide("a").reason is Reason.SIDECAR_UNAVAILABLE
        listening.start()
        deadline_s = time.monotonic() + 5
        while user.decide("a").reason is not Reason.BUCKETED:
            assert time.monotonic() < deadline_s


def test_closed_client_answers_the_default(listening: Listening) -> None:
    client = connect(listening.address)
    user = client.user("u1")
    assert user.decide("a").reason is Reason.BUCKETED
    client.close()
    client.close()
    decision = user.decide("a")
    assert (decision.reason, "CLIENT_CLOSED" in decision.reasons[0]) == (Reason.SIDECAR_UNAVAILABLE, True)
