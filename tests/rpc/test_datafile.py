"""`DatafileService` through a running server: what is loaded, what is in it, and each change of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from google.rpc import status_pb2

from sidecar.pb import classic_pb2, datafile_pb2, reason_pb2, value_pb2
from sidecar.rpc.wire_values import trusted_mapping
from tests.decision.building import document, exact, flag, holdout, rule, variation
from tests.support.refusals import said
from tests.support.served import SHOP, Served, serving

pytestmark = pytest.mark.usefixtures("wire")

SERVICE = "/sidecar.v1.DatafileService/"


class Changing:
    """A server whose datafile is a file that tests write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.served: Served

    def write(self, **changes: Any) -> None:
        """Replace the file as a whole, as a ConfigMap does."""
        self.write_text(json.dumps(document(**changes)))

    def write_text(self, text: str) -> None:
        aside = self.path.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.path)

    async def status(self, datafile: str = "") -> datafile_pb2.GetStatusResponse:
        request = datafile_pb2.GetStatusRequest(datafile=datafile)
        return await self.served.call(SERVICE + "GetStatus", request, datafile_pb2.GetStatusResponse)

    async def config(self, *flag_keys: str) -> datafile_pb2.GetConfigResponse:
        request = datafile_pb2.GetConfigRequest(flag_keys=flag_keys)
        return await self.served.call(SERVICE + "GetConfig", request, datafile_pb2.GetConfigResponse)

    async def reload(self) -> datafile_pb2.ReloadResponse:
        return await self.served.call(SERVICE + "Reload", datafile_pb2.ReloadRequest(), datafile_pb2.ReloadResponse)

    async def watch(self) -> AsyncIterator[datafile_pb2.WatchResponse]:
        async for message in self.served.stream(SERVICE + "Watch", datafile_pb2.WatchRequest()):
            yield datafile_pb2.WatchResponse.FromString(message)


@pytest_asyncio.fixture
async def changing(tmp_path: Path) -> AsyncIterator[Changing]:
    one = Changing(tmp_path / "datafile.json")
    one.write()
    async with serving(
        tmp_path, {"datafiles": {"one": {"path": str(one.path)}, "shop": {"path": str(SHOP)}}}
    ) as served:
        one.served = served
        yield one


def values(variables: Any) -> dict[str, Any]:
    held = {variable.variable_key: variable.value for variable in variables}
    return trusted_mapping(held)


# --- GetStatus ----------------------------------------------------------------------------------------------------


async def test_status_tells_what_is_in_force(changing: Changing) -> None:
    status = await changing.status("shop")
    body = SHOP.read_bytes()
    assert (status.revision, status.name, status.size_bytes) == ("41", "shop", len(body))
    assert status.sha256 == hashlib.sha256(body).hexdigest()
    assert (status.account_id, status.project_id) == ("20356560237", "20401771230")
    assert (status.environment_key, status.stale, status.from_cache) == ("production", False, False)
    assert str(SHOP) in status.source
    assert list(status.configured_names) == ["one", "shop"]
    assert status.HasField("loaded_time")
    assert status.HasField("checked_time")
    assert not status.HasField("last_error")
    assert not status.warnings


async def test_status_names_the_default_first(tmp_path: Path) -> None:
    datafiles = {name: {"path": str(SHOP)} for name in ("other", "default", "third")}
    async with serving(tmp_path, {"datafiles": datafiles}) as served:
        reply = await served.call(
            SERVICE + "GetStatus", datafile_pb2.GetStatusRequest(), datafile_pb2.GetStatusResponse
        )
        assert reply.name == "default"
        assert list(reply.configured_names) == ["default", "other", "third"]


async def test_status_before_anything_is_loaded_is_an_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {"one": {"path": "missing.json"}}}, loaded=False) as served:
        reply = await served.call(
            SERVICE + "GetStatus", datafile_pb2.GetStatusRequest(), datafile_pb2.GetStatusResponse
        )
        assert (reply.revision, reply.name, reply.sha256) == ("", "one", "")
        assert not reply.HasField("loaded_time")


async def test_status_lists_warnings_and_the_flag_that_each_disables(changing: Changing) -> None:
    changing.write(featureFlags=[flag(), flag("bad", variables=[{"id": "v"}]), flag("dangling", rolloutId="nope")])
    await changing.reload()
    status = await changing.status()
    assert [(one.path, one.disabled_flag_key) for one in status.warnings] == [
        ("featureFlags[1].variables[0].key", "bad"),
        ("featureFlags[2].rolloutId", ""),
    ]


async def test_unknown_datafile_is_not_found_by_every_method(changing: Changing) -> None:
    for method, request in (
        ("GetStatus", datafile_pb2.GetStatusRequest(datafile="nope")),
        ("GetConfig", datafile_pb2.GetConfigRequest(datafile="nope")),
        ("Reload", datafile_pb2.ReloadRequest(datafile="nope")),
    ):
        refused = await changing.served.refused(SERVICE + method, request)
        assert (refused.code, refused.reason, refused.domain) == ("NOT_FOUND", "DATAFILE_NOT_FOUND", "sidecar")
    streams: dict[str, Message] = {
        "GetDatafile": datafile_pb2.GetDatafileRequest(datafile="nope"),
        "Watch": datafile_pb2.WatchRequest(datafile="nope"),
    }
    for method, message in streams.items():
        with pytest.raises(Exception, match="nope") as error:
            await anext(aiter(changing.served.stream(SERVICE + method, message)))
        assert said(error.value).reason == "DATAFILE_NOT_FOUND"


# --- GetDatafile --------------------------------------------------------------------------------------------------


async def test_datafile_comes_back_byte_for_byte_in_pieces_that_each_name_the_whole(changing: Changing) -> None:
    changing.write(comment="x" * 700_000)
    await changing.reload()
    stream = changing.served.stream(SERVICE + "GetDatafile", datafile_pb2.GetDatafileRequest())
    pieces = [datafile_pb2.GetDatafileResponse.FromString(message) async for message in stream]
    body = changing.path.read_bytes()
    assert b"".join(piece.chunk for piece in pieces) == body
    assert [len(piece.chunk) for piece in pieces[:-1]] == [256 * 1024] * 2
    assert {(piece.revision, piece.size_bytes) for piece in pieces} == {("7", len(body))}


async def test_datafile_that_is_not_loaded_cannot_be_read(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}}) as served:
        with pytest.raises(Exception, match="no datafile") as error:
            await anext(aiter(served.stream(SERVICE + "GetDatafile", datafile_pb2.GetDatafileRequest())))
        assert said(error.value).reason == "NO_DATAFILE"
        refused = await served.refused(SERVICE + "GetConfig", datafile_pb2.GetConfigRequest())
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NO_DATAFILE")


# --- GetConfig ----------------------------------------------------------------------------------------------------


async def test_config_tells_flags_with_their_rules_and_variables(changing: Changing) -> None:
    variables = [
        {"id": "v1", "key": "n", "type": "integer", "defaultValue": str(2**53 + 1)},
        {"id": "v2", "key": "t", "type": "string", "subType": "json", "defaultValue": '{"a": [1, null]}'},
        {"id": "v3", "key": "b", "type": "boolean", "defaultValue": "maybe"},
        {"id": "v4", "key": "d", "type": "double", "defaultValue": "0.5"},
        {"id": "v5", "key": "s", "type": "string", "defaultValue": ""},
    ]
    set_here = [{"id": "v1", "value": "2"}, {"id": "v5", "value": "é"}]
    changing.write(
        sdkKey="key",
        environmentKey="staging",
        typedAudiences=[{"id": "1", "name": "nine", "conditions": ["or", exact("x", 9)]}],
        featureFlags=[flag(variables=variables)],
        experiments=[
            rule(
                type="ab",
                audienceIds=["1"],
                variations=[variation("701", "on", variables=set_here), variation("702", "off", enabled=False)],
                trafficAllocation=[
                    {"entityId": "701", "endOfRange": 2000},
                    {"entityId": "", "endOfRange": 3000},
                    {"entityId": "702", "endOfRange": 4000},
                    {"entityId": "701", "endOfRange": 10_000},
                ],
            )
        ],
        holdouts=[holdout()],
        localHoldouts=[holdout("510", "local", includedRules=["700"])],
    )
    await changing.reload()
    config = await changing.config()
    assert (config.revision, config.sdk_key, config.environment_key) == ("7", "key", "staging")
    (one,) = config.flags
    assert (one.flag_key, one.flag_id, one.invalid_reason) == ("f", "id_f", "")
    (experiment,), (delivery,) = one.experiment_rules, one.delivery_rules
    assert (experiment.rule_key, experiment.rule_id, experiment.status) == ("exp", "700", "Running")
    assert (experiment.rule_type, experiment.experiment_type) == (reason_pb2.RULE_TYPE_FEATURE_TEST, "ab")
    assert experiment.audiences == '"nine"'
    on, off = experiment.variations
    assert (on.variation_key, on.variation_id, on.enabled, on.traffic) == ("on", "701", True, 8000)
    assert (off.variation_key, off.enabled, off.traffic) == ("off", False, 1000)
    assert values(on.variables) == {"n": 2, "s": "é"}
    assert [one.variable_id for one in on.variables] == ["v1", "v5"]
    assert not off.variables
    (local,) = experiment.local_holdouts
    assert (local.rule_key, local.rule_type) == ("local", reason_pb2.RULE_TYPE_HOLDOUT)
    assert (delivery.rule_key, delivery.rule_type) == ("ee", reason_pb2.RULE_TYPE_ROLLOUT)
    assert not delivery.local_holdouts
    assert values(one.variables) == {"n": 2**53 + 1, "t": {"a": [1, None]}, "b": None, "d": 0.5, "s": ""}
    types = [each.variable_type for each in one.variables]
    words = ["INTEGER", "JSON", "BOOLEAN", "DOUBLE", "STRING"]
    assert types == [classic_pb2.VariableType.Value(f"VARIABLE_TYPE_{word}") for word in words]
    assert one.variables[2].value.HasField("null_value")
    assert isinstance(one.variables[0].value, value_pb2.Value)
    (everywhere,) = config.holdouts
    assert (everywhere.rule_key, everywhere.variations[0].variation_key) == ("ho", "held")


async def test_config_tells_events_attributes_and_audiences(changing: Changing) -> None:
    body = json.loads(SHOP.read_text())
    changing.write_text(SHOP.read_text())
    await changing.reload()
    config = await changing.config()
    keys = {each["id"]: each["key"] for each in [*body["experiments"], *body["groups"][0]["experiments"]]}
    assert [(each.event_key, each.event_id, list(each.experiment_keys)) for each in config.events] == [
        (each["key"], each["id"], [keys[id_] for id_ in each["experimentIds"]]) for each in body["events"]
    ]
    assert [(each.attribute_key, each.attribute_id) for each in config.attributes] == [
        (each["key"], each["id"]) for each in body["attributes"]
    ]
    assert [(each.audience_id, each.name, json.loads(each.conditions_json)) for each in config.audiences] == [
        (each["id"], each["name"], each["conditions"]) for each in body["typedAudiences"]
    ]


async def test_typed_audiences_come_before_untyped_ones(changing: Changing) -> None:
    changing.write(
        audiences=[{"id": "9", "name": "old", "conditions": json.dumps(["or", exact("x", "s")])}],
        typedAudiences=[{"id": "1", "name": "new", "conditions": ["or", exact("x", 1)]}],
    )
    await changing.reload()
    old = (await changing.config()).audiences[1]
    assert [each.name for each in (await changing.config()).audiences] == ["new", "old"]
    assert json.loads(old.conditions_json) == ["or", exact("x", "s")]


async def test_config_of_some_flags_leaves_the_rest_and_unknown_ones_out(changing: Changing) -> None:
    changing.write(featureFlags=[flag("a"), flag("b"), flag("c")])
    await changing.reload()
    config = await changing.config("c", "nope", "a")
    assert [each.flag_key for each in config.flags] == ["a", "c"]


async def test_config_says_why_a_flag_is_disabled(changing: Changing) -> None:
    changing.write(featureFlags=[flag("wrong", experimentIds=7), flag("bad", variables=[{"id": "v"}]), flag()])
    await changing.reload()
    wrong, bad, good = (await changing.config()).flags
    assert (wrong.flag_key, bad.flag_key, good.flag_key) == ("wrong", "bad", "f")
    assert "experimentIds" in wrong.invalid_reason
    assert "flag `bad` is disabled" in bad.invalid_reason
    assert good.invalid_reason == ""


# --- Reload and Watch ---------------------------------------------------------------------------------------------


async def test_reload_says_whether_anything_changed(changing: Changing) -> None:
    same = await changing.reload()
    assert (same.revision, same.changed, same.HasField("error")) == ("7", False, False)
    changing.write(revision="8", featureFlags=[flag(rolloutId="nope")])
    new = await changing.reload()
    assert (new.revision, new.changed, new.warnings) == ("8", True, 1)
    assert (await changing.served.decide()).revision == "8"


async def test_reload_of_a_rejected_datafile_says_so_and_keeps_the_last_good_one(changing: Changing) -> None:
    changing.write_text('{"version": "9", "revision": "8"}')
    reply = await changing.reload()
    assert (reply.revision, reply.changed) == ("7", False)
    error = said(status_pb2.Status.FromString(reply.error.SerializeToString()))
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "DATAFILE_REJECTED")
    assert "version" in error.message
    status = await changing.status()
    assert (status.revision, status.stale) == ("7", True)
    assert said(status.last_error).reason == "DATAFILE_REJECTED"
    assert (await changing.served.decide()).revision == "7"


async def test_reload_of_a_vanished_datafile_says_so_and_keeps_the_last_good_one(changing: Changing) -> None:
    changing.path.unlink()
    reply = await changing.reload()
    assert (reply.revision, reply.changed) == ("7", False)
    assert said(reply.error).reason == "SOURCE_UNAVAILABLE"
    assert said((await changing.status()).last_error).reason == "SOURCE_UNAVAILABLE"
    changing.write()
    assert not (await changing.reload()).HasField("error")
    assert not (await changing.status()).stale


async def test_watch_tells_the_current_revision_then_each_change(changing: Changing) -> None:
    changes = changing.watch()
    first = await anext(changes)
    assert (first.revision, first.warnings) == ("7", 0)
    assert first.HasField("loaded_time")
    assert str(changing.path) in first.source
    for revision in ("8", "9"):
        changing.write(revision=revision)
        assert (await anext(changes)).revision == revision
    changing.write_text("no JSON")
    await changing.reload()
    changing.write(revision="10")
    assert (await anext(changes)).revision == "10"


async def test_watch_tells_a_changed_body_of_the_same_revision(changing: Changing) -> None:
    changes = changing.watch()
    await anext(changes)
    changing.write(featureFlags=[flag("other")])
    assert (await anext(changes)).revision == "7"


async def test_watch_before_anything_is_loaded_says_so(tmp_path: Path) -> None:
    path = tmp_path / "late.json"
    async with serving(tmp_path, {"datafiles": {"late": {"path": str(path)}}}, loaded=False) as served:
        stream = aiter(served.stream(SERVICE + "Watch", datafile_pb2.WatchRequest()))
        assert datafile_pb2.WatchResponse.FromString(await anext(stream)).revision == ""
        path.write_text(json.dumps(document()))
        assert datafile_pb2.WatchResponse.FromString(await anext(stream)).revision == "7"
