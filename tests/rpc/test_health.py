"""`grpc.health.v1.Health` through a running server, as a probe sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2

from sidecar.rpc.health import Health
from tests.decision.building import document
from tests.support.served import SHOP, Served, serving

pytestmark = pytest.mark.usefixtures("wire")

SERVICE = "/grpc.health.v1.Health/"
Status = health_pb2.HealthCheckResponse


async def check(served: Served, name: str = "") -> str:
    request = health_pb2.HealthCheckRequest(service=name)
    reply = await served.call(SERVICE + "Check", request, health_pb2.HealthCheckResponse)
    return Status.ServingStatus.Name(reply.status)


async def test_process_its_services_and_its_datafiles_serve_once_loaded(served: Served) -> None:
    for name in ("", "sidecar.v1.DecisionService", "sidecar.v1.TrackingService", "datafile/default"):
        assert await check(served, name) == "SERVING"


async def test_unknown_name_is_not_found(served: Served) -> None:
    for name in ("nope", "datafile/nope", "/"):
        refused = await served.refused(SERVICE + "Check", health_pb2.HealthCheckRequest(service=name))
        assert (refused.code, refused.reason, refused.domain) == ("NOT_FOUND", "SERVICE_NOT_FOUND", "sidecar")


async def test_process_serves_without_any_datafile(tmp_path: Path) -> None:
    async with serving(tmp_path, {"datafiles": {}}) as served:
        assert await check(served) == "SERVING"


async def test_process_serves_when_its_default_datafile_is_loaded(tmp_path: Path) -> None:
    late = tmp_path / "late.json"
    datafiles = {"other": {"path": str(SHOP)}, "default": {"path": str(late)}}
    async with serving(tmp_path, {"datafiles": datafiles}, loaded=False) as served:
        await served.parts.datafiles.wait_first("other")
        assert await check(served) == "NOT_SERVING"
        assert await check(served, "sidecar.v1.DecisionService") == "NOT_SERVING"
        assert await check(served, "datafile/other") == "SERVING"
        assert await check(served, "datafile/default") == "NOT_SERVING"
        stream = aiter(served.stream(SERVICE + "Watch", health_pb2.HealthCheckRequest()))
        assert Status.FromString(await anext(stream)).status == Status.NOT_SERVING
        late.write_text(json.dumps(document()))
        assert Status.FromString(await anext(stream)).status == Status.SERVING
        assert await check(served, "sidecar.v1.DecisionService") == "SERVING"


async def test_without_one_named_default_any_datafile_lets_the_process_serve(tmp_path: Path) -> None:
    second = tmp_path / "second.json"
    configuration = {"datafiles": {"first": {"path": str(tmp_path / "gone.json")}, "second": {"path": str(second)}}}
    second.write_text(json.dumps(document()))
    async with serving(tmp_path, configuration, loaded=False) as served:
        await served.parts.datafiles.wait_first("second")
        assert await check(served) == "SERVING"
        assert await check(served, "datafile/first") == "NOT_SERVING"
        assert await check(served, "datafile/second") == "SERVING"


async def test_a_bad_datafile_does_not_take_the_process_back(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(document()))
    async with serving(tmp_path, {"datafiles": {"one": {"path": str(path)}}}) as served:
        path.write_text("no JSON")
        async for status in served.parts.datafiles.watch():
            if status.stale:
                break
        assert await check(served) == await check(served, "datafile/one") == "SERVING"


async def test_watch_of_an_unknown_name_waits_for_it(served: Served) -> None:
    stream = aiter(served.stream(SERVICE + "Watch", health_pb2.HealthCheckRequest(service="datafile/new")))
    assert Status.FromString(await anext(stream)).status == Status.SERVICE_UNKNOWN
    served.parts.health.set("datafile/new", serving=True)
    assert Status.FromString(await anext(stream)).status == Status.SERVING


async def test_nothing_serves_again_after_stop() -> None:
    health = Health()
    health.set("", serving=True)
    health.set("datafile/one", serving=True)
    health.stop()
    health.set("datafile/one", serving=True)
    health.set("", serving=True)
    assert not health.serving("")
    assert not health.serving("datafile/one")
