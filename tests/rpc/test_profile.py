"""`ProfileService` through a running server, and what decisions make of the profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from sidecar.errors import ConfigInvalid
from sidecar.pb import decision_pb2, profile_pb2, reason_pb2
from tests.support.daemon import Daemon
from tests.support.redis_server import MISSING
from tests.support.served import SHOP, Served, serving, settings_of

pytestmark = pytest.mark.usefixtures("wire")

SERVICE = "/sidecar.v1.ProfileService/"
MEMORY: Mapping[str, Any] = {"profiles": {"store": "memory"}}
INSIDE: Mapping[str, Any] = {"app_version": "2.4.0"}
"""Attributes of a user in the audience of `experiment`."""


def experiment() -> tuple[str, str, list[str]]:
    """A flag of the example datafile whose experiment runs, the experiment's id, and the ids of its variations."""
    datafile = json.loads(SHOP.read_text())
    experiments = {one["id"]: one for one in datafile["experiments"]}
    for flag in datafile["featureFlags"]:
        for experiment_id in flag["experimentIds"]:
            found = experiments[experiment_id]
            if found["status"] == "Running" and len(found["variations"]) > 1:
                return flag["key"], experiment_id, [one["id"] for one in found["variations"]]
    raise AssertionError("the example has no running experiment")


async def lookup(served: Served, user_id: str = "u", datafile: str = "") -> dict[str, str]:
    request = profile_pb2.LookupRequest(user_id=user_id, datafile=datafile)
    return dict((await served.call(SERVICE + "Lookup", request, profile_pb2.LookupResponse)).variation_ids)


async def save(
    served: Served, variation_ids: Mapping[str, str], user_id: str = "u", datafile: str = ""
) -> dict[str, str]:
    request = profile_pb2.SaveRequest(user_id=user_id, variation_ids=variation_ids, datafile=datafile)
    return dict((await served.call(SERVICE + "Save", request, profile_pb2.SaveResponse)).variation_ids)


async def delete(served: Served, *experiment_ids: str, user_id: str = "u") -> int:
    request = profile_pb2.DeleteRequest(user_id=user_id, experiment_ids=experiment_ids)
    return (await served.call(SERVICE + "Delete", request, profile_pb2.DeleteResponse)).deleted


@pytest.mark.parametrize("store", ["memory", "sqlite", True])
async def test_profile_is_saved_merged_looked_up_and_deleted(tmp_path: Path, store: object) -> None:
    async with serving(tmp_path, {"profiles": {"store": store}}) as served:
        assert await lookup(served) == {}
        assert await save(served, {"e1": "v1", "e2": "v2"}) == {"e1": "v1", "e2": "v2"}
        assert await save(served, {"e2": "v3", "e3": "v4"}) == {"e1": "v1", "e2": "v3", "e3": "v4"}
        assert await lookup(served) == {"e1": "v1", "e2": "v3", "e3": "v4"}
        assert await delete(served, "e1", "e1", "e9") == 1
        assert await delete(served) == 2
        assert await delete(served) == 0
        assert await lookup(served) == {}


async def test_profiles_belong_to_the_project_of_the_datafile(tmp_path: Path) -> None:
    other = json.loads(SHOP.read_text()) | {"projectId": "another"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    datafiles = {
        "one": {"path": str(SHOP)},
        "two": {"path": str(SHOP)},
        "other": {"path": str(tmp_path / "other.json")},
    }
    async with serving(tmp_path, {**MEMORY, "datafiles": datafiles}) as served:
        await save(served, {"e": "v"}, datafile="one")
        assert await lookup(served, datafile="two") == {"e": "v"}
        assert await lookup(served, datafile="other") == {}


async def test_decision_keeps_to_the_profile_unless_told_not_to(tmp_path: Path) -> None:
    flag_key, experiment_id, variation_ids = experiment()
    async with serving(tmp_path, MEMORY) as served:
        for variation_id in variation_ids:
            await save(served, {experiment_id: variation_id})
            (decided,) = (await served.decide(flag_keys=[flag_key])).decisions
            assert (decided.variation_id, decided.reason) == (variation_id, reason_pb2.DECISION_REASON_STICKY)
        ignoring = [decision_pb2.DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE]
        (decided,) = (await served.decide(flag_keys=[flag_key], options=ignoring)).decisions
        assert decided.reason != reason_pb2.DECISION_REASON_STICKY


def test_saved_profile_survives_kill_9_of_the_daemon(tmp_path: Path) -> None:
    with Daemon(tmp_path, {"datafile": str(SHOP), "profiles": {"store": "sqlite"}}) as daemon:
        daemon.start()
        request = profile_pb2.SaveRequest(user_id="u", variation_ids={"e": "v"})
        daemon.call(SERVICE + "Save", request, profile_pb2.SaveResponse)
        daemon.kill()
        daemon.start()
        asked = profile_pb2.LookupRequest(user_id="u")
        found = daemon.call(SERVICE + "Lookup", asked, profile_pb2.LookupResponse)
        assert dict(found.variation_ids) == {"e": "v"}
        assert daemon.stop() == 0


async def test_every_violation_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path, MEMORY) as served:
        empty = await served.refused(SERVICE + "Save", profile_pb2.SaveRequest())
        assert (empty.code, empty.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert empty.fields == ["user_id", "variation_ids"]
        odd = profile_pb2.SaveRequest(user_id="u" * 65_537, variation_ids={"": "v", "e": "", "f": "x" * 1_025})
        assert sorted((await served.refused(SERVICE + "Save", odd)).fields) == [
            "user_id",
            "variation_ids",
            "variation_ids[e]",
            "variation_ids[f]",
        ]
        many = profile_pb2.SaveRequest(user_id="u", variation_ids={f"e{at}": "v" for at in range(257)})
        assert (await served.refused(SERVICE + "Save", many)).violations == (
            ("variation_ids", "has 257 entries, wanted 1 to 256"),
        )
        gone = profile_pb2.DeleteRequest(experiment_ids=["", "x" * 1_025])
        assert (await served.refused(SERVICE + "Delete", gone)).fields == [
            "user_id",
            "experiment_ids[0]",
            "experiment_ids[1]",
        ]
        assert (await served.refused(SERVICE + "Lookup", profile_pb2.LookupRequest())).fields == ["user_id"]


async def test_unknown_datafile_and_one_that_is_not_loaded_are_told_apart(tmp_path: Path) -> None:
    datafiles = {"one": {"path": str(SHOP)}, "late": {"path": str(tmp_path / "not-there.json")}}
    async with serving(tmp_path, {**MEMORY, "datafiles": datafiles}, loaded=False) as served:
        await served.parts.datafiles.wait_first("one")
        for datafile, code, reason in (
            ("nobody", "NOT_FOUND", "DATAFILE_NOT_FOUND"),
            ("late", "FAILED_PRECONDITION", "NO_DATAFILE"),
        ):
            said = await served.refused(SERVICE + "Lookup", profile_pb2.LookupRequest(user_id="u", datafile=datafile))
            assert (said.code, said.reason) == (code, reason)


async def test_service_is_not_there_when_profiles_are_off(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        with pytest.raises(aio.AioRpcError) as error:
            await lookup(served)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not dict(error.value.trailing_metadata() or ())


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
async def test_store_that_is_down_is_said_by_hand_and_costs_a_decision_its_profile_only(tmp_path: Path) -> None:
    flag_key, _, _ = experiment()
    # Port 9 of loopback: nobody listens.
    configuration = {"profiles": {"store": "redis", "url": "redis://:secret@127.0.0.1:9/0"}}
    async with serving(tmp_path, configuration) as served:
        said = await served.refused(SERVICE + "Lookup", profile_pb2.LookupRequest(user_id="u"))
        assert (said.code, said.reason) == ("INTERNAL", "PROFILES_UNAVAILABLE")
        assert "secret" not in said.message
        reply = await served.decide(flag_keys=[flag_key], options=[decision_pb2.DECIDE_OPTION_INCLUDE_REASONS])
        assert reply.decisions[0].variation_id
        assert any("profile store `redis` gave no answer" in reason for reason in reply.decisions[0].reasons)
        metrics = (await served.parts.metrics.render()).decode()
        assert 'sidecar_profile_lookups_unanswered_total{why="failed"} 1.0' in metrics


async def test_what_traffic_chose_is_saved_and_kept_when_the_user_leaves_the_audience(tmp_path: Path) -> None:
    flag_key, experiment_id, _ = experiment()
    async with serving(tmp_path, MEMORY) as served:
        (chosen,) = (await served.decide(flag_keys=[flag_key], attributes=INSIDE)).decisions
        assert await lookup(served) == {experiment_id: chosen.variation_id}
        (kept,) = (await served.decide(flag_keys=[flag_key])).decisions
        assert (kept.variation_id, kept.reason) == (chosen.variation_id, reason_pb2.DECISION_REASON_STICKY)
        metrics = (await served.parts.metrics.render()).decode()
    assert "sidecar_profile_lookups_total 2.0" in metrics
    assert 'sidecar_profile_saves_total{fate="dropped"} 0.0' in metrics
    assert "sidecar_forced_variations 0.0" in metrics


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"store": "redis"}, "url is missing"),
        ({"store": "sqlite", "url": "redis://h"}, "wanted them with `redis` alone"),
        ({"store": "redis", "url": "http://h"}, "begins with neither"),
        ({"store": "redis", "url": "redis://h", "entries_max": 5}, "entries_max is given"),
        ({"store": "memory", "entries_max": 0}, "entries_max is 0"),
        ({"store": "memory", "wait": "2s"}, "wait is 2 s"),
        ({"store": "redis", "url": "redis://h", "ttl": "10ms"}, "ttl is 0.01 s"),
        ({"store": "disk"}, "wanted one of `off`, `on`, `memory`, `sqlite`, `redis`"),
    ],
)
def test_section_that_contradicts_itself_is_refused(tmp_path: Path, section: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigInvalid, match="profiles") as invalid:
        settings_of(tmp_path, {"profiles": section})
    assert problem in str(invalid.value)
