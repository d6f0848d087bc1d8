"""`ClassicService` through a running server: what is answered, what is recorded, and what is refused."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from sidecar.events.identity import impression_id
from sidecar.events.model import Impression
from sidecar.pb import classic_pb2, notification_pb2, reason_pb2
from sidecar.rpc.methods import Refusal, Unary
from sidecar.rpc.wire_values import to_wire, trusted_mapping
from sidecar.values import Value
from tests.decision.building import document, flag, holdout, rule, variation
from tests.rpc.test_decision import ScriptedCall
from tests.rpc.test_notification import DECISION, reading
from tests.support.served import Served, serving, values

pytestmark = pytest.mark.usefixtures("wire")

SERVICE = "/sidecar.v1.ClassicService/"
REASON = reason_pb2.DecisionReason.Name
RESULT = classic_pb2.VariableResult.Name
TYPE = classic_pb2.VariableType.Name
DECIDING = [
    "Activate",
    "GetVariation",
    "IsFeatureEnabled",
    "GetEnabledFeatures",
    "GetFeatureVariable",
    "GetAllFeatureVariables",
]
METHODS = [*DECIDING, "SetForcedVariation", "GetForcedVariation"]
KEYS = {"experiment_key": "exp", "flag_key": "f", "variable_key": "whole"}

VARIABLES = [
    {"id": "v1", "key": "whole", "type": "integer", "defaultValue": str(2**53 + 1)},
    {"id": "v2", "key": "real", "type": "double", "defaultValue": "2.5"},
    {"id": "v3", "key": "on", "type": "boolean", "defaultValue": "false"},
    {"id": "v4", "key": "text", "type": "string", "defaultValue": "é"},
    {"id": "v5", "key": "tree", "type": "json", "defaultValue": '{"l": [1, null]}'},
    {"id": "v6", "key": "bad", "type": "integer", "defaultValue": "one"},
]
OFF = [{"entityId": "712", "endOfRange": 10_000}]


def body(**changes: Any) -> dict[str, Any]:
    """Flag `f` is on by experiment `exp`, `off` is off by `exp2`, `d` is on by its rollout."""
    on = variation("701", "on", variables=[{"id": "v1", "value": "-7"}])
    arms = [variation("711", "on"), variation("712", "off", enabled=False)]
    return document(
        **{
            "featureFlags": [
                flag(variables=VARIABLES),
                flag("off", experimentIds=["710"], rolloutId=""),
                flag("d", experimentIds=[]),
            ],
            "experiments": [
                rule(variations=[on, variation("702", "off", enabled=False)]),
                rule("710", "exp2", variations=arms, trafficAllocation=OFF),
                rule("720", "paused", status="Paused"),
            ],
            **changes,
        }
    )


def written(directory: Path, **changes: Any) -> dict[str, Any]:
    path = directory / "small.json"
    path.write_text(json.dumps(body(**changes)))
    return {"datafiles": {"small": {"path": str(path)}}}


@pytest_asyncio.fixture
async def small(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, written(tmp_path)) as served:
        yield served


def request_of(method: str, attributes: Mapping[str, Value] | None = None, **fields: Any) -> Any:
    """The request of a method, for the user `u`, with every key that it needs unless told otherwise."""
    kind: Any = getattr(classic_pb2, f"{method}Request")
    names = kind.DESCRIPTOR.fields_by_name
    wanted = {"user_id": "u", **{name: key for name, key in KEYS.items() if name in names}, **fields}
    if attributes is not None:
        wanted["attributes"] = values(attributes)
    return kind(**wanted)


async def ask(served: Served, method: str, attributes: Mapping[str, Value] | None = None, **fields: Any) -> Any:
    reply: type[Message] = getattr(classic_pb2, f"{method}Response")
    return await served.call(SERVICE + method, request_of(method, attributes, **fields), reply)


async def shown(served: Served, destination: str = "optimizely") -> list[tuple[str, str, str, bool]]:
    events = await served.events(destination)
    made = [event for event in events if isinstance(event, Impression)]
    assert len(made) == len(events)
    return [(one.flag_key, one.rule_key, one.rule_type, one.enabled) for one in made]


async def test_activate_answers_the_variation_and_its_impression_reaches_every_destination(small: Served) -> None:
    reply = await ask(small, "Activate", {"x": "s", "n": 2**53 + 1}, user_id="anna", decision_id="d-1")
    assert (reply.variation_key, reply.experiment_id, reply.variation_id) == ("on", "700", "701")
    assert (REASON(reply.reason), reply.revision, reply.decision_id) == ("DECISION_REASON_BUCKETED", "7", "d-1")
    for destination in ("optimizely", "hook"):
        (made,) = await small.events(destination)
        assert isinstance(made, Impression)
        assert (made.flag_key, made.rule_key, made.rule_type, made.enabled) == ("", "exp", "experiment", True)
        assert (made.experiment_key, made.variation_key, made.campaign_id) == ("exp", "on", "L700")
        assert (made.origin.user_id, made.origin.datafile) == ("anna", "small")
        assert made.attributes == {"x": "s", "n": 2**53 + 1}
        assert made.origin.event_id == impression_id("d-1", "", "exp", "experiment")


@pytest.mark.parametrize(
    ("key", "experiment_id", "reason"),
    [("nowhere", "", "EXPERIMENT_NOT_FOUND"), ("paused", "720", "EXPERIMENT_NOT_RUNNING")],
)
@pytest.mark.parametrize("method", ["Activate", "GetVariation"])
async def test_no_variation_is_an_answer_with_its_reason(
    small: Served, method: str, key: str, experiment_id: str, reason: str
) -> None:
    reply = await ask(small, method, experiment_key=key)
    assert (reply.variation_key, reply.variation_id, reply.experiment_id) == ("", "", experiment_id)
    assert (REASON(reply.reason), reply.revision) == (f"DECISION_REASON_{reason}", "7")
    assert await shown(small) == []


async def test_get_variation_answers_the_same_without_an_impression(small: Served) -> None:
    reply = await ask(small, "GetVariation", experiment_key="exp2")
    assert (reply.variation_key, reply.experiment_id, reply.variation_id) == ("off", "710", "712")
    assert (REASON(reply.reason), reply.revision) == ("DECISION_REASON_BUCKETED", "7")
    assert await shown(small) == []


@pytest.mark.parametrize(
    ("flag_key", "answer", "made"),
    [
        ("f", (True, "on", "exp", "FEATURE_TEST", "BUCKETED"), [("f", "exp", "feature-test", True)]),
        ("off", (False, "off", "exp2", "FEATURE_TEST", "BUCKETED"), [("off", "exp2", "feature-test", False)]),
        ("d", (True, "rest", "ee", "ROLLOUT", "ROLLOUT"), [("d", "ee", "rollout", True)]),
        ("nowhere", (False, "", "", "UNSPECIFIED", "FLAG_NOT_FOUND"), []),
    ],
)
async def test_is_feature_enabled_says_what_decided(
    small: Served, flag_key: str, answer: tuple[Any, ...], made: list[tuple[str, str, str, bool]]
) -> None:
    reply = await ask(small, "IsFeatureEnabled", flag_key=flag_key, decision_id="d-1")
    rule_type = reason_pb2.RuleType.Name(reply.rule_type).removeprefix("RULE_TYPE_")
    reason = REASON(reply.reason).removeprefix("DECISION_REASON_")
    assert (reply.enabled, reply.variation_key, reply.rule_key, rule_type, reason) == answer
    assert (reply.revision, reply.decision_id) == ("7", "d-1")
    assert await shown(small) == made


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"holdouts": [holdout()]}, []),
        ({"holdouts": [holdout(excludeTargetedDeliveries=True)]}, [("d", "ee", "rollout", True)]),
        ({"sendFlagDecisions": False}, []),
    ],
    ids=["holdout", "beside a holdout", "delivery, not sent"],
)
async def test_is_feature_enabled_makes_no_impression_of_a_holdout_or_of_what_is_not_sent(
    tmp_path: Path, changes: dict[str, Any], made: list[tuple[str, str, str, bool]]
) -> None:
    async with serving(tmp_path, written(tmp_path, **changes)) as served:
        await ask(served, "IsFeatureEnabled", flag_key="d")
        assert await shown(served) == made


async def test_get_enabled_features_lists_what_is_on_and_records_each_flag(small: Served) -> None:
    reply = await ask(small, "GetEnabledFeatures", {"x": "s"}, decision_id="d-1")
    assert (list(reply.flag_keys), reply.revision, reply.decision_id) == (["f", "d"], "7", "d-1")
    made = await small.events("optimizely")
    assert [(one.flag_key, one.enabled, one.attributes) for one in made if isinstance(one, Impression)] == [
        ("f", True, {"x": "s"}),
        ("off", False, {"x": "s"}),
        ("d", True, {"x": "s"}),
    ]


@pytest.mark.parametrize(
    ("key", "value", "declared", "result"),
    [
        ("whole", -7, "INTEGER", "VARIATION"),
        ("real", 2.5, "DOUBLE", "DEFAULT"),
        ("on", False, "BOOLEAN", "DEFAULT"),
        ("text", "é", "STRING", "DEFAULT"),
        ("tree", {"l": [1, None]}, "JSON", "DEFAULT"),
    ],
)
async def test_a_variable_is_typed(small: Served, key: str, value: Value, declared: str, result: str) -> None:
    for asked in (0, classic_pb2.VariableType.Value(f"VARIABLE_TYPE_{declared}")):
        reply = await ask(small, "GetFeatureVariable", variable_key=key, variable_type=asked)
        assert reply.value == to_wire(value)
        assert TYPE(reply.variable_type) == f"VARIABLE_TYPE_{declared}"
        assert RESULT(reply.result) == f"VARIABLE_RESULT_{result}"
        assert (reply.enabled, reply.variation_key, reply.revision) == (True, "on", "7")
    assert await shown(small) == []


@pytest.mark.parametrize(
    ("fields", "declared", "result"),
    [
        ({"variable_type": classic_pb2.VARIABLE_TYPE_STRING}, "INTEGER", "TYPE_MISMATCH"),
        ({"variable_type": classic_pb2.VARIABLE_TYPE_DOUBLE}, "INTEGER", "TYPE_MISMATCH"),
        ({"variable_key": "bad"}, "INTEGER", "VALUE_INVALID"),
        ({"variable_key": "nowhere"}, "UNSPECIFIED", "VARIABLE_NOT_FOUND"),
        ({"flag_key": "nowhere"}, "UNSPECIFIED", "FLAG_NOT_FOUND"),
    ],
)
async def test_a_variable_without_a_value_says_why(
    small: Served, fields: dict[str, Any], declared: str, result: str
) -> None:
    reply = await ask(small, "GetFeatureVariable", **fields)
    assert not reply.HasField("value")
    assert TYPE(reply.variable_type) == f"VARIABLE_TYPE_{declared}"
    assert RESULT(reply.result) == f"VARIABLE_RESULT_{result}"
    assert (reply.enabled, reply.variation_key) == ((False, "") if "flag_key" in fields else (True, "on"))


async def test_all_variables_are_those_of_a_decide_without_its_impression(small: Served) -> None:
    reply = await ask(small, "GetAllFeatureVariables")
    assert await shown(small) == []
    (decision,) = (await small.decide(flag_keys=["f"])).decisions
    assert trusted_mapping(reply.variables) == trusted_mapping(decision.variables)
    assert trusted_mapping(reply.variables)["bad"] is None
    assert (reply.enabled, reply.variation_key, reply.reason) == (True, "on", decision.reason)
    unknown = await ask(small, "GetAllFeatureVariables", flag_key="nowhere")
    assert (dict(unknown.variables), REASON(unknown.reason)) == ({}, "DECISION_REASON_FLAG_NOT_FOUND")


async def test_a_forced_variation_is_seen_by_every_caller_until_it_is_removed(small: Served) -> None:
    set_reply = await ask(small, "SetForcedVariation", variation_key="off")
    assert set_reply.replaced_variation_key == ""
    assert (await ask(small, "GetForcedVariation")).variation_key == "off"
    (decision,) = (await small.decide(flag_keys=["f"])).decisions
    assert (decision.variation_key, REASON(decision.reason)) == ("off", "DECISION_REASON_FORCED_VARIATION")
    assert (await ask(small, "Activate")).variation_key == "off"
    assert not (await ask(small, "IsFeatureEnabled")).enabled
    assert list((await ask(small, "GetEnabledFeatures")).flag_keys) == ["d"]
    assert (await ask(small, "GetFeatureVariable")).value == to_wire(2**53 + 1)
    assert (await ask(small, "Activate", user_id="another")).variation_key == "on"
    assert (await ask(small, "SetForcedVariation")).replaced_variation_key == "off"
    assert (await ask(small, "GetForcedVariation")).variation_key == ""
    assert (await ask(small, "Activate")).variation_key == "on"


async def test_a_forced_variation_is_of_one_datafile(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(body(sdkKey="key-of-a")))
    datafiles = {name: {"path": str(path)} for name in ("default", "b")}
    async with serving(tmp_path, {"datafiles": datafiles}) as served:
        await ask(served, "SetForcedVariation", variation_key="off", datafile="b")
        found = [(await ask(served, "GetForcedVariation", datafile=name)).variation_key for name in ("", "b")]
        assert found == ["", "off"]


async def test_a_forced_variation_survives_a_reload_and_reads_as_none_while_it_is_gone(tmp_path: Path) -> None:
    configuration = written(tmp_path)
    async with serving(tmp_path, configuration) as served:
        await ask(served, "SetForcedVariation", variation_key="off")
        for arms, wanted in (([variation("701", "on")], ""), ([variation("702", "late")], "late")):
            (tmp_path / "small.json").write_text(json.dumps(body(experiments=[rule(variations=arms)])))
            await served.parts.datafiles.reload("small")
            assert (await ask(served, "GetForcedVariation")).variation_key == wanted


@pytest.mark.parametrize("stored", [True, False])
async def test_a_forced_variation_survives_a_restart_only_when_it_is_stored(tmp_path: Path, stored: bool) -> None:
    configuration = {**written(tmp_path), "forced_variations": {"stored": stored}}
    async with serving(tmp_path, configuration) as served:
        await ask(served, "SetForcedVariation", variation_key="off")
    async with serving(tmp_path, configuration) as served:
        assert (await ask(served, "Activate")).variation_key == ("off" if stored else "on")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"experiment_key": "nowhere", "variation_key": "on"}, ["experiment_key"]),
        ({"variation_key": "nowhere"}, ["variation_key"]),
        ({"experiment_key": "", "user_id": ""}, ["user_id", "experiment_key"]),
    ],
)
async def test_what_cannot_be_forced_is_refused(small: Served, fields: dict[str, Any], wrong: list[str]) -> None:
    refused = await small.refused(SERVICE + "SetForcedVariation", request_of("SetForcedVariation", **fields))
    assert (refused.code, refused.reason, refused.fields) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT", wrong)


@pytest.mark.parametrize("method", METHODS)
async def test_every_violation_of_a_request_is_listed(small: Served, method: str) -> None:
    kind: Any = getattr(classic_pb2, f"{method}Request")
    fields: dict[str, Any] = {}
    wanted = ["user_id", *(name for name in KEYS if name in kind.DESCRIPTOR.fields_by_name)]
    if "attributes" in kind.DESCRIPTOR.fields_by_name:
        fields["attributes"] = values({"big": "x" * 65_537})
        wanted.append("attributes.big")
    if "decision_id" in kind.DESCRIPTOR.fields_by_name:
        fields["decision_id"] = "d" * 101
        wanted.append("decision_id")
    if "variable_type" in kind.DESCRIPTOR.fields_by_name:
        fields["variable_type"] = 17
        wanted.append("variable_type")
    refused = await small.refused(SERVICE + method, kind(**fields))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert sorted(refused.fields) == sorted(wanted)


@pytest.mark.parametrize("method", METHODS)
async def test_an_unknown_datafile_and_bytes_that_are_no_request_are_refused(small: Served, method: str) -> None:
    refused = await small.refused(SERVICE + method, request_of(method, datafile="nope"))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "DATAFILE_NOT_FOUND")
    refused = await small.refused(SERVICE + method, b"\x0a\xff")
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "MALFORMED")


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_datafile_there_is_no_answer(tmp_path: Path, method: str) -> None:
    async with serving(tmp_path, {"datafiles": {}}, loaded=False) as served:
        refused = await served.refused(SERVICE + method, request_of(method))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NO_DATAFILE")


@pytest.mark.parametrize("method", DECIDING)
async def test_without_profiles_a_call_never_waits_and_a_late_one_makes_no_impression(
    small: Served, method: str
) -> None:
    served = small.parts.table[SERVICE + method]
    assert isinstance(served, Unary)
    body = request_of(method).SerializeToString()
    assert not inspect.isawaitable(served.handler(body, ScriptedCall()))
    before = await shown(small)
    for call in (ScriptedCall(remaining_s=-0.1), ScriptedCall(cancelled=True)):
        with pytest.raises(Refusal):
            served.handler(body, call)
    assert await shown(small) == before


async def test_a_decision_id_is_made_when_none_is_given(small: Served) -> None:
    for method in ("Activate", "IsFeatureEnabled", "GetEnabledFeatures"):
        ids = {(await ask(small, method)).decision_id for _ in range(3)}
        assert {len(one) for one in ids} == {36}
        assert len(ids) == 3


async def test_what_a_classic_call_chose_is_kept_for_every_later_decision(tmp_path: Path) -> None:
    async with serving(tmp_path, {**written(tmp_path), "profiles": {"store": "memory"}}) as served:
        assert REASON((await ask(served, "Activate")).reason) == "DECISION_REASON_BUCKETED"
        moved = rule(trafficAllocation=[{"entityId": "702", "endOfRange": 10_000}])
        (tmp_path / "small.json").write_text(json.dumps(body(experiments=[moved])))
        await served.parts.datafiles.reload("small")
        for method in ("Activate", "GetVariation", "IsFeatureEnabled"):
            reply = await ask(served, method)
            assert (reply.variation_key, REASON(reply.reason)) == ("on", "DECISION_REASON_STICKY")
        (decision,) = (await served.decide(flag_keys=["f"])).decisions
        assert REASON(decision.reason) == "DECISION_REASON_STICKY"
        assert (await ask(served, "Activate", user_id="another")).variation_key == "off"


async def test_a_delivery_rule_is_found_by_key(small: Served) -> None:
    assert (await ask(small, "Activate", experiment_key="ee")).variation_key == "rest"
    assert await shown(small) == [("", "ee", "experiment", True)]


async def test_a_listener_is_told_of_an_experiment_by_its_key(small: Served) -> None:
    async with reading(small, [DECISION]) as reader:
        await ask(small, "Activate", {"x": "s"}, decision_id="d-1")
        told = (await reader.next()).decision
    assert told.kind == notification_pb2.DECISION_KIND_EXPERIMENT
    assert (told.decision.flag_key, told.decision.rule_key, told.decision.variation_key) == ("", "exp", "on")
    assert told.decision.rule_type == reason_pb2.RULE_TYPE_EXPERIMENT
    assert (told.decision_id, told.revision, told.datafile, told.impression_offered) == ("d-1", "7", "small", True)
    assert trusted_mapping(told.attributes) == {"x": "s"}
