"""`Decide` through a running server: what is answered, what is recorded, and what is not."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from sidecar.events.identity import impression_id
from sidecar.events.model import Impression
from sidecar.pb import decision_pb2, reason_pb2
from sidecar.rpc.methods import Unary
from sidecar.rpc.wire_values import trusted_mapping
from tests.decision.building import document, exact, flag, rule
from tests.support.served import DECIDE, OPTIMIZELY, SHOP, WEBHOOK, Served, decide_request, serving

pytestmark = pytest.mark.usefixtures("wire")

ALL_FLAGS = ["checkout_redesign", "free_shipping", "paywall_headline", "paywall_trial", "search_ranking"]
GERMAN = {"country": "DE"}
OPTION = decision_pb2.DecideOption.Value


def keys(reply: decision_pb2.DecideResponse) -> list[str]:
    return [decision.flag_key for decision in reply.decisions]


def option(*names: str) -> list[int]:
    return [OPTION(f"DECIDE_OPTION_{name}") for name in names]


class ScriptedCall:
    """A `Call` whose caller may have gone or be late."""

    peer = "unix:"

    def __init__(self, *, remaining_s: float | None = None, cancelled: bool = False) -> None:
        self._remaining_s, self._cancelled = remaining_s, cancelled

    def header(self, key: str) -> str | None:
        return None

    def time_remaining_s(self) -> float | None:
        return self._remaining_s

    def cancelled(self) -> bool:
        return self._cancelled


def handler(served: Served) -> Any:
    """The handler itself, as the transport has it, behind the gate."""
    method = served.parts.table[DECIDE]
    assert isinstance(method, Unary)
    return method.handler


@pytest_asyncio.fixture
async def small(tmp_path: Path) -> AsyncIterator[Served]:
    """A datafile with a variable of each kind and an audience, and rules that the tests name."""
    variables = [
        {"id": "v1", "key": "whole", "type": "integer", "defaultValue": str(2**53 + 1)},
        {"id": "v2", "key": "real", "type": "double", "defaultValue": "2.5"},
        {"id": "v3", "key": "on", "type": "boolean", "defaultValue": "true"},
        {"id": "v4", "key": "text", "type": "string", "defaultValue": "é"},
        {"id": "v5", "key": "tree", "type": "json", "defaultValue": f'{{"n": {2**53 + 1}, "l": [1, null]}}'},
    ]
    whole = {"id": "1", "name": "nine", "conditions": ["or", exact("x", 2**53 - 1)]}
    segment = {
        "id": "2",
        "name": "fans",
        "conditions": [
            "or",
            {
                "type": "third_party_dimension",
                "match": "qualified",
                "name": "odp.audiences",
                "value": "fan",
            },
        ],
    }
    body = document(
        featureFlags=[flag(variables=variables), flag("s", experimentIds=["710"], rolloutId="")],
        experiments=[
            rule(audienceIds=["1"]),
            rule("710", "segmented", audienceIds=["2"], trafficAllocation=[{"entityId": "701", "endOfRange": 10_000}]),
        ],
        typedAudiences=[whole, segment],
    )
    path = tmp_path / "small.json"
    path.write_text(json.dumps(body))
    async with serving(tmp_path, {"datafiles": {"small": {"path": str(path)}}}) as one:
        yield one


async def test_decisions_come_in_the_order_asked_a_repeated_flag_once(served: Served) -> None:
    reply = await served.decide(flag_keys=["paywall_trial", "free_shipping", "paywall_trial", "checkout_redesign"])
    assert keys(reply) == ["paywall_trial", "free_shipping", "checkout_redesign"]


async def test_no_flag_named_means_all_in_datafile_order(served: Served) -> None:
    reply = await served.decide()
    assert keys(reply) == ALL_FLAGS == [each["key"] for each in json.loads(SHOP.read_text())["featureFlags"]]
    assert reply.revision == "41"


async def test_unknown_flag_is_a_decision(served: Served) -> None:
    reply = await served.decide(flag_keys=["nope", "free_shipping"])
    unknown, known = reply.decisions
    assert (unknown.flag_key, unknown.variation_key, unknown.enabled) == ("nope", "", False)
    assert unknown.reason == reason_pb2.DECISION_REASON_FLAG_NOT_FOUND
    assert unknown.rule_type == reason_pb2.RULE_TYPE_UNSPECIFIED
    assert known.reason == reason_pb2.DECISION_REASON_NO_RULE_MATCHED
    assert [event.flag_key for event in await served.events() if isinstance(event, Impression)] == ["free_shipping"]


async def test_enabled_only_filters_the_answer_and_not_the_impressions(served: Served) -> None:
    reply = await served.decide(attributes=GERMAN, options=option("ENABLED_FLAGS_ONLY"))
    assert "free_shipping" in keys(reply)
    assert all(decision.enabled for decision in reply.decisions)
    assert len(reply.decisions) < 5
    every = await served.decide(attributes=GERMAN)
    made: dict[str, list[tuple[str, str]]] = {}
    for event in await served.events():
        assert isinstance(event, Impression)
        made.setdefault(event.decision_id, []).append((event.flag_key, event.variation_key))
    assert made[reply.decision_id] == made[every.decision_id]


async def test_enabled_only_filters_also_what_is_asked_for_by_key(served: Served) -> None:
    reply = await served.decide(flag_keys=["nope", "free_shipping"], attributes=GERMAN, options=[2])
    assert keys(reply) == ["free_shipping"]


async def test_variables_can_be_left_out(small: Served) -> None:
    (full,) = (await small.decide(flag_keys=["f"])).decisions
    (bare,) = (await small.decide(flag_keys=["f"], options=option("EXCLUDE_VARIABLES"))).decisions
    assert len(full.variables) == 5
    full.ClearField("variables")
    assert bare == full


async def test_variables_arrive_typed_and_exact(small: Served) -> None:
    (decision,) = (await small.decide(flag_keys=["f"])).decisions
    assert trusted_mapping(decision.variables) == {
        "whole": 2**53 + 1,
        "real": 2.5,
        "on": True,
        "text": "é",
        "tree": {"n": 2**53 + 1, "l": [1, None]},
    }


async def test_an_integer_attribute_is_compared_and_recorded_exactly(small: Served) -> None:
    (hit,) = (await small.decide(flag_keys=["f"], attributes={"x": 2**53 - 1})).decisions
    (miss,) = (await small.decide(flag_keys=["f"], attributes={"x": 2**53 - 2})).decisions
    assert (hit.rule_key, miss.rule_key) == ("exp", "ee")
    await small.decide(flag_keys=["f"], attributes={"x": 2**53 + 1})
    (*_, last) = await small.events()
    assert isinstance(last, Impression)
    assert last.attributes == {"x": 2**53 + 1}


async def test_reasons_name_the_rule_when_asked(small: Served) -> None:
    (told,) = (await small.decide(flag_keys=["f"], options=option("INCLUDE_REASONS"))).decisions
    (silent,) = (await small.decide(flag_keys=["f"])).decisions
    assert silent.reasons == []
    assert any("`exp`" in reason for reason in told.reasons)
    assert any("`ee`" in reason for reason in told.reasons)


@pytest.mark.parametrize("options", [[], option("EXCLUDE_VARIABLES"), option("INCLUDE_REASONS")])
async def test_a_variable_that_cannot_be_read_is_null_and_always_named(tmp_path: Path, options: list[int]) -> None:
    variables = [
        {"id": "v1", "key": "count", "type": "integer", "defaultValue": "many"},
        {"id": "v2", "key": "size", "type": "integer", "defaultValue": "1"},
        {"id": "v3", "key": "tree", "type": "json", "defaultValue": "null"},
    ]
    own = [{"id": "v1", "value": "3"}, {"id": "v2", "value": "large"}]
    chosen = [{"id": "701", "key": "on", "featureEnabled": True, "variables": own}]
    body = document(featureFlags=[flag(variables=variables)], experiments=[rule(variations=chosen)])
    (tmp_path / "d.json").write_text(json.dumps(body))
    async with serving(tmp_path, {"datafiles": {"default": {"path": str(tmp_path / "d.json")}}}) as one:
        (decision,) = (await one.decide(options=options)).decisions
        whole = [decision_pb2.ForcedDecision(flag_key="f", variation_key="on")]
        (forced,) = (await one.decide(options=options, forced_decisions=whole)).decisions
    for answer in (decision, forced):
        assert any("`size` is null" in reason for reason in answer.reasons)
        assert not any("`tree`" in reason for reason in answer.reasons)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1], {"a": 1}])
async def test_an_attribute_that_conditions_cannot_read_is_unknown_and_named(small: Served, value: Any) -> None:
    (decision,) = (await small.decide(flag_keys=["f"], attributes={"x": value})).decisions
    assert decision.rule_key == "ee"
    assert [reason for reason in decision.reasons if "`x`" in reason]


async def test_a_null_attribute_is_as_an_absent_one(small: Served) -> None:
    (with_null,) = (await small.decide(flag_keys=["f"], attributes={"x": None})).decisions
    (without,) = (await small.decide(flag_keys=["f"])).decisions
    assert with_null == without


async def test_forced_decisions_stand_above_the_rules(small: Served) -> None:
    force = decision_pb2.ForcedDecision
    (whole,) = (
        await small.decide(flag_keys=["f"], forced_decisions=[force(flag_key="f", variation_key="off")])
    ).decisions
    assert (whole.variation_key, whole.enabled, whole.rule_key) == ("off", False, "")
    assert whole.reason == reason_pb2.DECISION_REASON_FLAG_FORCED
    both = [force(flag_key="f", rule_key="exp", variation_key=key) for key in ("on", "off")]
    (by_rule,) = (await small.decide(flag_keys=["f"], forced_decisions=both)).decisions
    assert (by_rule.variation_key, by_rule.rule_key) == ("off", "exp")
    assert by_rule.reason == reason_pb2.DECISION_REASON_RULE_FORCED


async def test_a_forced_variation_that_does_not_exist_has_no_effect_but_a_reason(small: Served) -> None:
    forced = [decision_pb2.ForcedDecision(flag_key="f", variation_key="nowhere")]
    (decision,) = (
        await small.decide(flag_keys=["f"], forced_decisions=forced, options=option("INCLUDE_REASONS"))
    ).decisions
    assert decision.rule_key == "ee"
    assert any("nowhere" in reason for reason in decision.reasons)


async def test_segments_come_with_the_call(small: Served) -> None:
    segments = decision_pb2.QualifiedSegments
    (member,) = (await small.decide(flag_keys=["s"], qualified_segments=segments(keys=["fan"]))).decisions
    (stranger,) = (await small.decide(flag_keys=["s"], qualified_segments=segments())).decisions
    (unset,) = (await small.decide(flag_keys=["s"])).decisions
    assert [member.rule_key, stranger.rule_key, unset.rule_key] == ["segmented", "", ""]


async def test_a_decision_id_is_echoed_and_makes_one_impression(served: Served) -> None:
    for _ in range(3):
        reply = await served.decide(flag_keys=["free_shipping"], decision_id="d-1")
        assert reply.decision_id == "d-1"
    (event,) = await served.events()
    assert isinstance(event, Impression)
    assert event.decision_id == "d-1"
    assert event.origin.event_id == impression_id("d-1", "free_shipping", event.rule_key, event.rule_type)


async def test_a_decision_id_is_made_when_none_is_given(served: Served) -> None:
    first, second = (await served.decide()).decision_id, (await served.decide()).decision_id
    assert len(first) == len(second) == 36
    assert first != second


async def test_the_event_can_be_switched_off(served: Served) -> None:
    reply = await served.decide(decision_id="d-1", options=option("DISABLE_DECISION_EVENT"))
    assert (reply.decision_id, len(reply.decisions)) == ("d-1", 5)
    assert await served.events() == []
    assert (await served.decide(options=option("DISABLE_DECISION_EVENT"))).decision_id != ""


async def test_an_option_that_says_nothing_is_ignored(served: Served) -> None:
    assert len((await served.decide(options=[0, 3])).decisions) == 5


async def test_default_options_count_for_every_call(tmp_path: Path) -> None:
    chosen = ["ENABLED_FLAGS_ONLY", "INCLUDE_REASONS", "DISABLE_DECISION_EVENT", "EXCLUDE_VARIABLES"]
    async with serving(tmp_path, {"default_decide_options": chosen}) as served:
        plain = await served.decide(attributes=GERMAN)
        more = await served.decide(attributes=GERMAN, options=option("IGNORE_USER_PROFILE_SERVICE"))
        assert await served.events() == []
    for reply in (plain, more):
        assert keys(reply) == ["free_shipping"]
        assert not reply.decisions[0].variables
        assert reply.decisions[0].reasons


async def test_impressions_hold_the_user_and_what_was_decided(served: Served) -> None:
    reply = await served.decide(user_id="anna", attributes=GERMAN, flag_keys=["free_shipping"])
    (decision,) = reply.decisions
    for destination in ("hook", "optimizely"):
        (event,) = await served.events(destination)
        assert isinstance(event, Impression)
        assert (event.origin.user_id, event.attributes, event.origin.datafile) == ("anna", GERMAN, "default")
        assert (event.flag_key, event.variation_key, event.rule_key) == ("free_shipping", "dach", "free_shipping_dach")
        assert (event.experiment_id, event.variation_id) == (decision.experiment_id, decision.variation_id)
        assert (event.rule_type, event.enabled) == ("rollout", True)


async def test_a_datafile_is_found_by_name_and_by_sdk_key(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document(sdkKey="other-key")))
    datafiles = {
        "shop": {"path": str(SHOP), "destinations": ["hook"]},
        "other": {"path": str(path), "destinations": ["optimizely"]},
    }
    async with serving(tmp_path, {"datafiles": datafiles}) as served:
        assert keys(await served.decide()) == ALL_FLAGS
        for name in ("other", "other-key"):
            assert keys(await served.decide(datafile=name)) == ["f"]
        assert {event.origin.datafile for event in await served.events("optimizely")} == {"other"}
        assert {event.origin.datafile for event in await served.events("hook")} == {"shop"}


async def test_an_unknown_datafile_is_not_found(served: Served) -> None:
    refused = await served.refused(DECIDE, decide_request(datafile="nope"))
    assert (refused.code, refused.reason, refused.domain) == ("NOT_FOUND", "DATAFILE_NOT_FOUND", "sidecar")
    assert refused.metadata == {"datafile": "nope"}


@pytest.mark.parametrize("datafiles", [{}, {"default": {"path": "missing.json"}}], ids=["none", "not loaded"])
async def test_without_a_datafile_there_are_no_decisions(tmp_path: Path, datafiles: dict[str, Any]) -> None:
    async with serving(tmp_path, {"datafiles": datafiles}, loaded=False) as served:
        refused = await served.refused(DECIDE, decide_request())
        assert (refused.code, refused.reason, refused.domain) == ("FAILED_PRECONDITION", "NO_DATAFILE", "sidecar")


async def test_with_no_room_in_the_outbox_decisions_go_on(tmp_path: Path) -> None:
    async with serving(tmp_path, {"destinations": [dict(WEBHOOK)], "outbox": {"bytes_max": 1}}) as served:
        for _ in range(3):
            assert len((await served.decide()).decisions) == 5
            await served.parts.outbox.position()


async def test_destinations_that_take_no_impressions_get_none(tmp_path: Path) -> None:
    segment = {"name": "segment", "type": "segment", "write_key": "k", "endpoint": "http://127.0.0.1:9"}
    async with serving(tmp_path, {"destinations": [segment, dict(OPTIMIZELY)]}) as served:
        await served.decide()
        assert await served.events("segment") == []
        assert await served.events("optimizely") != []


# --- the handler itself -------------------------------------------------------------------------------------------


async def test_a_decide_never_waits(served: Served) -> None:
    reply = handler(served)(decide_request().SerializeToString(), ScriptedCall())
    assert type(reply) is bytes
    assert not inspect.isawaitable(reply)


async def test_a_call_that_nobody_waits_for_makes_no_impression(served: Served) -> None:
    """The deadline passes while the daemon is busy, so that it reads the call when it is late already."""
    request = decide_request(decision_id="d-1").SerializeToString()

    def decide_late() -> grpc.StatusCode:
        with grpc.insecure_channel(served.addresses[0]) as channel:
            grpc.channel_ready_future(channel).result(timeout=30)
            ready.set()
            assert busy.wait(30)
            decide: Any = channel.unary_unary(DECIDE)
            with pytest.raises(grpc.RpcError) as refused:
                decide(request, timeout=0.2)
            return refused.value.code()

    ready, busy = threading.Event(), threading.Event()
    late = asyncio.get_running_loop().run_in_executor(None, decide_late)
    await asyncio.to_thread(ready.wait, 30)
    busy.set()
    time.sleep(0.5)  # noqa: ASYNC251 - the loop that serves is what must be busy
    assert await late is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await served.events() == []
    await served.decide(decision_id="d-1", flag_keys=["free_shipping"])
    assert len(await served.events()) == 1


async def test_many_calls_at_once_are_each_answered_their_own(served: Served) -> None:
    replies = await asyncio.gather(
        *(served.decide(user_id=f"u{n}", decision_id=f"d{n}", flag_keys=["free_shipping"]) for n in range(200))
    )
    assert [reply.decision_id for reply in replies] == [f"d{n}" for n in range(200)]
    assert {event.origin.user_id for event in await served.events()} == {f"u{n}" for n in range(200)}
