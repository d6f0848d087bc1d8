"""Secrets: none stands in a log at its loudest, in a metric, an error or a status, however the destinations fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from sidecar.pb import datafile_pb2, tracking_pb2
from tests.collector import Answered, Collector, Received
from tests.e2e.scene import FLUSH, GET_STATUS, TRACK, Scene, decide, flush, unary
from tests.support.served import track_request

MARKER = "hunter2"
"""Part of every secret that the daemon is told here."""


SECRET_HEADERS = ("Authorization", "X-Api-Key", "Proxy-Authorization")


def secret(what: str) -> str:
    return f"{MARKER}-{what}-0123456789"


def repeating(received: Received) -> Answered:
    """A destination that refuses, redirects or fails, and repeats what it was told, nothing but the secrets."""
    told = [received.path, *(text for name, text in received.headers.items() if name in SECRET_HEADERS)]
    status = {"segment": 400, "hook": 503, "login": 401}.get(received.path.split("/")[1], 500)
    headers = {"Location": f"http://user:{secret('location')}@127.0.0.1/"} if status == 401 else {}
    return Answered(status, headers=headers, body=" ".join(told))


def destinations(collector: Collector) -> list[dict[str, Any]]:
    there = f"127.0.0.1:{collector.port}"
    gone = "127.0.0.1:9"
    every: list[dict[str, Any]] = [
        {"name": "segment", "type": "segment", "endpoint": f"http://{there}/segment", "write_key": secret("write-key")},
        {
            "name": "hook",
            "type": "webhook",
            "endpoint": f"http://{there}/hook/{secret('path')}?token={secret('query')}",
            "secret": secret("signature"),
            "headers": {"Authorization": f"Bearer {secret('bearer')}", "X-Api-Key": secret("header")},
            "rules": {"hash": ["user_id"], "hash_key": secret("hash")},
        },
        {"name": "login", "type": "webhook", "endpoint": f"http://user:{secret('login')}@{there}/login"},
        {"name": "gone", "type": "webhook", "endpoint": f"http://user:{secret('gone')}@{gone}/{secret('gone-path')}"},
        {
            "name": "proxied",
            "type": "webhook",
            "endpoint": f"http://collector.invalid/{secret('proxied')}",
            "proxy": f"http://user:{secret('proxy')}@{there}",
        },
        {
            "name": "no-proxy",
            "type": "optimizely",
            "endpoint": f"http://user:{secret('optimizely')}@{there}/o",
            "proxy": f"http://user:{secret('dead-proxy')}@{gone}",
        },
    ]
    return [{**one, "batch_age_max": "10ms", "timeout": "2s"} for one in every]


def of(destination: str) -> Callable[[dict[str, Any]], bool]:
    return lambda line: bool(line["destination"] == destination)


async def test_secrets_stand_in_no_log_metric_error_or_status(scene: Scene, collector: Collector) -> None:
    collector.judge = repeating
    scene.deliver_to(*destinations(collector))
    scene.daemon.configuration["log"] = {"level": "debug"}
    scene.daemon.configuration["datafiles"]["remote"] = {
        "url": f"http://user:{secret('datafile')}@127.0.0.1:{collector.port}/d?k={secret('datafile-query')}",
        "poll_interval": "50ms",
    }
    scene.daemon.configuration["datafiles"]["mirror"] = {
        "sdk_key": "abcdefgh-0123",
        "access_token": secret("access-token"),
        "url_template": f"http://127.0.0.1:{collector.port}/{{sdk_key}}?k={secret('template')}",
        "poll_interval": "50ms",
    }
    await scene.start_beside()
    async with scene.channel() as channel:
        await decide(channel, "user-3", "checkout_redesign")
        reply = await unary(channel, TRACK, track_request(user_id="ada"), tracking_pb2.TrackResponse)
        left = tracking_pb2.FlushRequest()
        left.timeout.seconds = 1
        said = [str(reply)]
        for name in ("default", "remote", "mirror"):
            request = datafile_pb2.GetStatusRequest(datafile=name)
            said.append(str(await unary(channel, GET_STATUS, request, datafile_pb2.GetStatusResponse)))
        for event, name in (
            *(("destination_failing", name) for name in ("gone", "hook", "proxied", "no-proxy")),
            ("destination_paused", "login"),
            ("events_dead", "segment"),
        ):
            await asyncio.to_thread(scene.daemon.wait_for_log, event, of(name))
        said.append(str(await unary(channel, FLUSH, left, tracking_pb2.FlushResponse)))
        assert "login" in await flush(channel, seconds=1)
        metrics = (await asyncio.to_thread(urlopen, f"http://{scene.daemon.http}/metrics")).read().decode()
    assert await asyncio.to_thread(scene.daemon.stop) == 0
    assert "sidecar_delivery_attempts_total" in metrics
    sent = " ".join(f"{one.path} {dict(one.headers)}" for one in collector.received)
    assert all(secret(what) in sent for what in ("path", "bearer", "header")), "the collector did get them"
    found = [text for text in [*said, *metrics.splitlines(), *scene.daemon.lines] if MARKER in text]
    assert found == []


async def test_mistake_in_a_section_shows_no_secret_of_it(scene: Scene, collector: Collector) -> None:
    every = destinations(collector)
    for one in every:
        one["unknown"] = secret("unknown")
    every[1]["rules"]["context"] = {"when": {"a": None}}
    every[1]["rules"]["hash"] = ["nowhere"]
    scene.deliver_to(*every)
    scene.start_datafile()
    assert await asyncio.to_thread(scene.daemon.spawn().wait) == 2
    assert "destinations[5].unknown is unknown" in scene.daemon.log
    assert "destinations[1].rules.hash[0] begins with `nowhere`" in scene.daemon.log
    assert MARKER not in scene.daemon.log
