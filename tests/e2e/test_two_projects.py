"""Two projects behind one daemon: asked for by name and by SDK key, delivered apart, and untouched by each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from grpc import aio

from sidecar.pb import classic_pb2, datafile_pb2, decision_pb2, profile_pb2, tracking_pb2
from tests.collector import Collector
from tests.decision.building import document, flag, rule, variation
from tests.e2e.scene import decide, flush, unary
from tests.support.daemon import Daemon
from tests.support.refusals import said

DECISION, CLASSIC = "/sidecar.v1.DecisionService/", "/sidecar.v1.ClassicService/"
WEB, APP = ("web", "key-of-web"), ("app", "key-of-app")
ACCOUNTS = {"web": ("1001", "2001"), "app": ("1002", "2002")}


def project(name: str, revision: str = "1", **changes: Any) -> dict[str, Any]:
    """A project whose flag and event both exist in the other one too, with another answer and other ids."""
    account, number = ACCOUNTS[name]
    arms = [variation("701", f"{name}-on"), variation("702", f"{name}-off", enabled=False)]
    return document(
        accountId=account,
        projectId=number,
        revision=revision,
        sdkKey=f"key-of-{name}",
        featureFlags=[flag("f"), flag(f"only-{name}", experimentIds=[])],
        experiments=[rule(variations=arms)],
        events=[{"id": f"id-of-{name}", "key": "ev", "experimentIds": ["700"]}],
        **changes,
    )


class Projects:
    """A daemon with a file for each project, and destinations for each of them alone."""

    def __init__(self, directory: Path, url: str) -> None:
        self.files = {name: directory / f"{name}.json" for name in ACCOUNTS}
        datafiles, destinations = {}, []
        for name, path in self.files.items():
            own = [f"{name}-optimizely", f"{name}-hook"]
            datafiles[name] = {"path": str(path), "destinations": own}
            for one, kind in zip(own, ("optimizely", "webhook"), strict=True):
                destinations.append({"name": one, "type": kind, "endpoint": f"{url}/{one}", "batch_age_max": "20ms"})
        profiles = {"store": "memory"}
        configuration = {"datafiles": datafiles, "destinations": destinations, "profiles": profiles}
        self.daemon = Daemon(directory / "daemon", configuration)

    def publish(self, name: str, body: bytes | dict[str, Any]) -> None:
        """Replace a project's file whole."""
        written = self.files[name].with_suffix(".new")
        written.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        written.rename(self.files[name])

    async def start(self, *loaded: str) -> None:
        """Start, and return when these projects are loaded, both for none: any one lets the process serve."""
        await asyncio.to_thread(self.daemon.start)
        for name in loaded or ACCOUNTS:
            await asyncio.to_thread(self.daemon.wait_for_health, "SERVING", f"datafile/{name}")

    def channel(self) -> aio.Channel:
        return aio.insecure_channel(self.daemon.address, options=(("grpc.use_local_subchannel_pool", 1),))


@pytest_asyncio.fixture
async def projects(tmp_path: Path, collector: Collector) -> AsyncIterator[Projects]:
    two = Projects(tmp_path, collector.url)
    for name in ACCOUNTS:
        two.publish(name, project(name))
    yield two
    if two.daemon.running:
        two.daemon.kill()


async def answer(channel: aio.Channel, name: str) -> tuple[str, str]:
    """The variation of the flag that both have, and the revision."""
    reply = await decide(channel, "u", "f", datafile=name)
    return reply.decisions[0].variation_key, reply.revision


async def status_of(channel: aio.Channel, name: str) -> datafile_pb2.GetStatusResponse:
    request = datafile_pb2.GetStatusRequest(datafile=name)
    return await unary(channel, "/sidecar.v1.DatafileService/GetStatus", request, datafile_pb2.GetStatusResponse)


async def until(channel: aio.Channel, name: str, wanted: tuple[str, str]) -> None:
    async with asyncio.timeout(10):
        while await answer(channel, name) != wanted:
            await asyncio.sleep(0.01)


async def answers_of_every_service(channel: aio.Channel, name: str) -> list[str]:
    """The variation that each way to ask for the flag, or for its experiment, answers."""
    user = decision_pb2.DecideManyUser(user_id="u")
    many = decision_pb2.DecideManyRequest(users=[user], flag_keys=["f"], datafile=name)
    activate = classic_pb2.ActivateRequest(user_id="u", experiment_key="exp", datafile=name)
    explain = decision_pb2.ExplainRequest(user_id="u", flag_key="f", datafile=name)
    (result,) = (await unary(channel, DECISION + "DecideMany", many, decision_pb2.DecideManyResponse)).results
    return [
        (await answer(channel, name))[0],
        result.decided.decisions[0].variation_key,
        (await unary(channel, CLASSIC + "Activate", activate, classic_pb2.ActivateResponse)).variation_key,
        (await unary(channel, DECISION + "Explain", explain, decision_pb2.ExplainResponse)).decision.variation_key,
    ]


async def test_each_is_asked_for_by_name_and_by_sdk_key_in_every_service(projects: Projects) -> None:
    await projects.start()
    async with projects.channel() as channel:
        # Neither is called `default`, so that is the first in the file, which the test's YAML sorts.
        assert await answer(channel, "") == ("app-on", "1")
        for name in (WEB, APP):
            for asked in name:
                assert await answers_of_every_service(channel, asked) == [f"{name[0]}-on"] * 4
                whole = await decide(channel, "u", datafile=asked)
                assert [one.flag_key for one in whole.decisions] == ["f", f"only-{name[0]}"]
                status = await status_of(channel, asked)
                assert (status.name, status.project_id) == (name[0], ACCOUNTS[name[0]][1])


async def test_what_is_forced_under_the_key_counts_under_the_name_and_in_no_other_project(projects: Projects) -> None:
    await projects.start()
    user = {"user_id": "u", "experiment_key": "exp"}
    async with projects.channel() as channel:
        forced = classic_pb2.SetForcedVariationRequest(**user, variation_key="web-off", datafile=WEB[1])
        await unary(channel, CLASSIC + "SetForcedVariation", forced, classic_pb2.SetForcedVariationResponse)
        for asked in WEB:
            assert await answers_of_every_service(channel, asked) == ["web-off"] * 4
        for asked in APP:
            assert await answers_of_every_service(channel, asked) == ["app-on"] * 4


async def test_a_profile_is_one_project_s_by_name_and_by_key(projects: Projects) -> None:
    await projects.start()
    async with projects.channel() as channel:
        save = profile_pb2.SaveRequest(user_id="sticky", variation_ids={"700": "702"}, datafile=APP[1])
        await unary(channel, "/sidecar.v1.ProfileService/Save", save, profile_pb2.SaveResponse)
        for asked, wanted in ((WEB[0], "web-on"), (WEB[1], "web-on"), (APP[0], "app-off"), (APP[1], "app-off")):
            reply = await decide(channel, "sticky", "f", datafile=asked)
            assert reply.decisions[0].variation_key == wanted


async def test_each_delivers_to_its_own_destinations_with_its_own_ids(projects: Projects, collector: Collector) -> None:
    await projects.start()
    async with projects.channel() as channel:
        for name, asked in (("web", WEB[0]), ("web", WEB[1]), ("app", APP[0]), ("app", APP[1])):
            await decide(channel, f"user-of-{name}", "f", datafile=asked)
            request = tracking_pb2.TrackRequest(user_id=f"user-of-{name}", event_key="ev", datafile=asked)
            reply = await unary(channel, "/sidecar.v1.TrackingService/Track", request, tracking_pb2.TrackResponse)
            assert {one.destination for one in reply.outcomes} == {f"{name}-optimizely", f"{name}-hook"}
        for _ in ACCOUNTS:
            assert await flush(channel) == {}
    for name, (account, number) in ACCOUNTS.items():
        batches = [request.json() for request in collector.taken if request.path == f"/{name}-optimizely"]
        assert {(batch["account_id"], batch["project_id"]) for batch in batches} == {(account, number)}
        visitors = [visitor for batch in batches for visitor in batch["visitors"]]
        assert {visitor["visitor_id"] for visitor in visitors} == {f"user-of-{name}"}
        snapshots = [snapshot for visitor in visitors for snapshot in visitor["snapshots"]]
        entities = [event["entity_id"] for one in snapshots if not one.get("decisions") for event in one["events"]]
        assert entities == [f"id-of-{name}"] * 2
        assert sum(bool(one.get("decisions")) for one in snapshots) == 2
        hooked = [one for got in collector.taken if got.path == f"/{name}-hook" for one in got.json()]
        assert (
            [one["kind"] for one in hooked].count("impression") == [one["kind"] for one in hooked].count("track") == 2
        )
        assert {one["user_id"] for one in hooked} == {f"user-of-{name}"}


async def test_a_source_that_fails_touches_no_other(projects: Projects) -> None:
    await projects.start()
    async with projects.channel() as channel:
        projects.publish("web", b'{"version": "4", "revision"')
        await asyncio.to_thread(projects.daemon.wait_for_log, "datafile_rejected")
        assert (await status_of(channel, "web")).stale
        projects.publish("app", project("app", "2"))
        await until(channel, "app", ("app-on", "2"))
        assert await answer(channel, "key-of-web") == ("web-on", "1")
        assert not (await status_of(channel, "app")).stale

        projects.files["web"].unlink()
        projects.publish("app", project("app", "3"))
        await until(channel, "key-of-app", ("app-on", "3"))
        assert await answer(channel, "web") == ("web-on", "1")
        for name in ACCOUNTS:
            await asyncio.to_thread(projects.daemon.wait_for_health, "SERVING", f"datafile/{name}")

        projects.publish("web", project("web", "4"))
        await until(channel, "web", ("web-on", "4"))
        assert await answer(channel, "app") == ("app-on", "3")


async def test_a_source_that_never_came_leaves_the_other_served_from_the_start(projects: Projects) -> None:
    projects.files["web"].unlink()
    await projects.start("app")
    async with projects.channel() as channel:
        for asked in APP:
            assert await answer(channel, asked) == ("app-on", "1")
        with pytest.raises(aio.AioRpcError) as refused:
            await answer(channel, "web")
        assert (said(refused.value).code, said(refused.value).reason) == ("FAILED_PRECONDITION", "NO_DATAFILE")
        projects.publish("web", project("web"))
        await asyncio.to_thread(projects.daemon.wait_for_log, "datafile_applied", lambda one: one["datafile"] == "web")
        for asked in WEB:
            assert await answer(channel, asked) == ("web-on", "1")


async def test_a_name_that_nobody_has_is_an_error_that_says_so(projects: Projects) -> None:
    await projects.start()
    async with projects.channel() as channel:
        with pytest.raises(aio.AioRpcError) as refused:
            await answer(channel, "key-of-nobody")
        what = said(refused.value)
        assert (what.code, what.reason, what.metadata) == (
            "NOT_FOUND",
            "DATAFILE_NOT_FOUND",
            {"datafile": "key-of-nobody"},
        )
        assert "key-of-nobody" in what.message
