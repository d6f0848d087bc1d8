"""Rules and `Experiment Viewed` through the daemon: from the configuration file to what a collector gets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any
from urllib.request import urlopen

from google.protobuf.message import Message

from sidecar.pb import tracking_pb2
from tests.collector import Answered, Collector
from tests.e2e.scene import TRACK, Scene, decide, flush, unary
from tests.support.served import track_request, values

KEY = "a-key-of-32-bytes-for-the-hashes"
IDENTIFY = "/sidecar.v1.TrackingService/Identify"


def hashed(text: str) -> str:
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def destinations(collector: Collector, **rules: Any) -> list[dict[str, Any]]:
    """One of each kind that speaks HTTP, with the rules that a test gives it by name."""
    every: list[dict[str, Any]] = [
        {"name": "optimizely", "type": "optimizely", "endpoint": f"{collector.url}/optimizely"},
        {
            "name": "segment",
            "type": "segment",
            "endpoint": f"{collector.url}/segment",
            "write_key": "k",
            "impressions": True,
        },
        {"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/hook"},
    ]
    for one in every:
        one["batch_age_max"] = "10ms"
        if one["name"] in rules:
            one["rules"] = rules[str(one["name"])]
    return every


def arrived(collector: Collector, name: str) -> list[Any]:
    """The events that one destination got, in its own form."""
    bodies = [request.json() for request in collector.taken if request.path.startswith(f"/{name}")]
    inner = {"optimizely": "visitors", "segment": "batch"}
    return [event for body in bodies for event in (body[inner[name]] if name in inner else body)]


def outcomes(reply: Any) -> dict[str, str]:
    return {one.destination: one.reason or "QUEUED" for one in reply.outcomes}


async def track(channel: Any, **fields: Any) -> dict[str, str]:
    request: Message = track_request(**fields)
    return outcomes(await unary(channel, TRACK, request, tracking_pb2.TrackResponse))


async def test_each_destination_gets_its_own_shape_of_an_event(scene: Scene, collector: Collector) -> None:
    private = {"hash": ["user_id", "properties.email"], "hash_key": KEY, "drop": ["context.ip", "properties.items[].n"]}
    enriched = {"rename": {"properties.email": "mail"}, "context": {"service": "shop", "app": {"name": "web"}}}
    scene.deliver_to(*destinations(collector, optimizely=private, segment=enriched))
    await scene.start_beside()
    async with scene.channel() as channel:
        said = await track(
            channel,
            user_id="ada",
            properties={"email": "a@b.c", "items": [{"n": 1, "sku": "s"}]},
            context={"ip": "::1", "app": {"build": 7}},
        )
        assert said == {"optimizely": "TAGS_NOT_SENT: items", "segment": "QUEUED", "hook": "QUEUED"}
        assert await flush(channel) == {}
    (visitor,) = arrived(collector, "optimizely")
    assert visitor["visitor_id"] == hashed("ada")
    assert visitor["snapshots"][0]["events"][0]["tags"] == {"email": hashed("a@b.c")}
    (message,) = arrived(collector, "segment")
    assert message["userId"] == "ada"
    assert message["properties"] == {"mail": "a@b.c", "items": [{"n": 1, "sku": "s"}]}
    assert {key: message["context"][key] for key in ("ip", "service", "app")} == {
        "ip": "::1",
        "service": "shop",
        "app": {"name": "web", "build": 7},
    }
    (plain,) = arrived(collector, "hook")
    assert plain["properties"] == {"email": "a@b.c", "items": [{"n": 1, "sku": "s"}]}
    assert plain["context"] == {"ip": "::1", "app": {"build": 7}}


async def test_filters_and_samples_are_told_counted_and_never_delivered(scene: Scene, collector: Collector) -> None:
    scene.deliver_to(
        *destinations(
            collector,
            optimizely={"sample_percent": 0},
            segment={"allow_events": ["checkout_*"], "deny_kinds": ["identify", "impression"]},
            hook={"sample_percent": 50},
        )
    )
    await scene.start_beside()
    async with scene.channel() as channel:
        users = [f"user-{number}" for number in range(40)]
        told = {user: await track(channel, user_id=user, event_id=f"e-{user}") for user in users}
        assert {(one["optimizely"], one["segment"]) for one in told.values()} == {("SAMPLED_OUT", "FILTERED")}
        inside = {user for user, one in told.items() if one["hook"] == "QUEUED"}
        assert {one["hook"] for one in told.values()} == {"QUEUED", "SAMPLED_OUT"}
        identify = tracking_pb2.IdentifyRequest(user_id="user-0", traits=values({"a": 1}))
        said = outcomes(await unary(channel, IDENTIFY, identify, tracking_pb2.IdentifyResponse))
        assert said["segment"] == "FILTERED"
        for user in users:
            await decide(channel, user, "checkout_redesign")
        assert await flush(channel) == {}
        metrics = (await asyncio.to_thread(urlopen, f"http://{scene.daemon.http}/metrics")).read().decode()
    assert not arrived(collector, "optimizely") + arrived(collector, "segment")
    hook = arrived(collector, "hook")
    assert {event["user_id"] for event in hook} <= inside | {"user-0"}
    assert {event["user_id"] for event in hook if event["kind"] == "track"} == inside
    labels = 'destination="optimizely",reason="SAMPLED_OUT",state="SKIPPED"'
    counted = [line for line in metrics.splitlines() if line.startswith(f"sidecar_event_outcomes_total{{{labels}}}")]
    assert len(counted) == 1
    assert float(counted[0].split()[-1]) > 40, "the Tracks, and the impressions of those who saw a variation"


async def test_shape_is_the_same_at_each_attempt_and_after_a_restart(scene: Scene, collector: Collector) -> None:
    collector.default = Answered(503)
    rules = {"hash": ["user_id"], "hash_key": KEY, "rename": {"properties.a": "b"}, "context": {"x": [1]}}
    scene.deliver_to(*destinations(collector, hook=rules)[2:])
    await scene.start_beside()
    async with scene.channel() as channel:
        await track(channel, user_id="ada", properties={"a": 1}, event_id="once")
        await collector.wait_for(2)
    assert await asyncio.to_thread(scene.daemon.kill) != 0
    collector.default = Answered(200)
    await scene.start_beside()
    async with scene.channel() as channel:
        assert await flush(channel) == {}
    bodies = {request.body for request in collector.received}
    assert len(bodies) == 1
    (event,) = arrived(collector, "hook")
    assert (event["user_id"], event["properties"], event["context"]) == (hashed("ada"), {"b": 1}, {"x": [1]})


async def test_experiment_viewed_goes_once_and_optimizely_gets_every_impression(
    scene: Scene, collector: Collector
) -> None:
    scene.deliver_to(*destinations(collector)[:2])
    await scene.start_beside()
    async with scene.channel() as channel:
        shown, *_ = [(await decide(channel, "user-3", "checkout_redesign")).decisions[0] for _ in range(3)]
        assert await flush(channel) == {}
        assert len(arrived(collector, "optimizely")) == 3
        assert await asyncio.to_thread(scene.daemon.stop) == 0
    await scene.start_beside()
    async with scene.channel() as channel:
        await decide(channel, "user-3", "checkout_redesign")
        await decide(channel, "qa-anna", "checkout_redesign")
        assert await flush(channel) == {}
    viewed = arrived(collector, "segment")
    assert [(one["event"], one["userId"]) for one in viewed] == [
        ("Experiment Viewed", "user-3"),
        ("Experiment Viewed", "qa-anna"),
    ]
    properties = viewed[0]["properties"]
    assert (properties["experiment_id"], properties["variation_id"]) == (shown.experiment_id, shown.variation_id)
    assert (properties["experiment_name"], properties["variation_name"]) == (shown.rule_key, shown.variation_key)
    assert len(arrived(collector, "optimizely")) == 5
