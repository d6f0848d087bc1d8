"""The six calls through the daemon, field by field: what Segment, Optimizely and a webhook get of each."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from sidecar import __version__
from sidecar.pb import tracking_pb2
from tests.collector import Collector
from tests.e2e.scene import Scene, flush, shop, unary
from tests.support.served import values

SERVICE = "/sidecar.v1.TrackingService/"
CONTEXT: dict[str, Any] = {
    "ip": "192.0.2.1",
    "locale": "de-AT",
    "traits": {"plan": "gold"},
    "app": {"build": 2**53 + 1},
}
DEEP: dict[str, Any] = {"a": [1, 2.5, None, True, {"b": ["é", []]}]}
LIBRARY = {"name": "decision-sidecar", "version": __version__}


def stamped(event_id: str) -> dict[str, Any]:
    """What every call can say, all of it."""
    return {
        "user_id": "ada",
        "anonymous_id": "anon-1",
        "event_id": event_id,
        "timestamp": Timestamp(seconds=1_354_408_208, nanos=276_000_000),
        "context": values({**CONTEXT, "integrations": {"Vero": False, "Mixpanel": {"x": 1}}}),
        "integrations": values({"Vero": True}),
    }


CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # the call · its own fields · what Segment gets of them
    (
        "Track",
        {"event_key": "purchase", "properties": values(DEEP), "event_tags": values({"sku": "s", "value": 5})},
        {"type": "track", "event": "purchase", "properties": {**DEEP, "sku": "s", "value": 5}},
    ),
    ("Identify", {"traits": values(DEEP)}, {"type": "identify", "traits": DEEP}),
    (
        "Page",
        {"name": "Docs", "category": "Help", "properties": values(DEEP)},
        {
            "type": "page",
            "name": "Docs",
            "category": "Help",
            "properties": {**DEEP, "name": "Docs", "category": "Help"},
        },
    ),
    (
        "Screen",
        {"name": "Home", "category": "Tab", "properties": values(DEEP)},
        {
            "type": "screen",
            "name": "Home",
            "category": "Tab",
            "properties": {**DEEP, "name": "Home", "category": "Tab"},
        },
    ),
    ("Group", {"group_id": "g-56", "traits": values(DEEP)}, {"type": "group", "groupId": "g-56", "traits": DEEP}),
    ("Alias", {"previous_id": "anon-1"}, {"type": "alias", "previousId": "anon-1"}),
]


def destinations(collector: Collector) -> list[dict[str, Any]]:
    return [
        {
            "name": "segment",
            "type": "segment",
            "endpoint": f"{collector.url}/segment",
            "write_key": "k",
            "batch_age_max": "10ms",
        },
        {"name": "optimizely", "type": "optimizely", "endpoint": f"{collector.url}/o", "batch_age_max": "10ms"},
        {"name": "hook", "type": "webhook", "endpoint": f"{collector.url}/hook", "batch_age_max": "10ms"},
    ]


async def call(channel: Any, method: str, **fields: Any) -> Any:
    request = getattr(tracking_pb2, f"{method}Request")(**fields)
    return await unary(channel, SERVICE + method, request, getattr(tracking_pb2, f"{method}Response"))


async def test_every_call_arrives_with_every_field_it_was_given(scene: Scene, collector: Collector) -> None:
    scene.deliver_to(*destinations(collector))
    await scene.start_beside()
    async with scene.channel() as channel:
        for method, own, _ in CALLS:
            reply = await call(channel, method, **stamped(f"id-{method}"), **own)
            assert reply.event_id == f"id-{method}"
            told = {one.destination: one.reason for one in reply.outcomes}
            optimizely = "TAGS_NOT_SENT: a" if method == "Track" else "KIND_NOT_TAKEN"
            assert told == {"segment": "", "optimizely": optimizely, "hook": ""}
        assert await flush(channel) == {}

    bodies = [request.json() for request in collector.taken if request.path == "/segment/v1/batch"]
    assert all(body["sentAt"].endswith("Z") and set(body) == {"batch", "sentAt"} for body in bodies)
    messages = [message for body in bodies for message in body["batch"]]
    for (method, _, expected), message in zip(CALLS, messages, strict=True):
        assert message == expected | {
            "messageId": f"id-{method}",
            "timestamp": "2012-12-02T00:30:08.276Z",
            "userId": "ada",
            "anonymousId": "anon-1",
            "context": {**CONTEXT, "channel": "server", "library": LIBRARY},
            "integrations": {"Vero": True, "Mixpanel": {"x": 1}},
        }

    hook = [event for request in collector.taken if request.path == "/hook" for event in request.json()]
    for (method, _, _), event in zip(CALLS, hook, strict=True):
        assert (event["kind"], event["event_id"]) == (method.lower(), f"id-{method}")
        assert event["time"] == "2012-12-02T00:30:08.276Z" < event["received_time"]
        assert event["context"] == CONTEXT
        assert event["integrations"] == {"Vero": True, "Mixpanel": {"x": 1}}


async def test_identities_become_one_in_the_order_of_the_calls(scene: Scene, collector: Collector) -> None:
    """Track as nobody, alias, identify, track as somebody: receivers need them in this order."""
    scene.deliver_to(*destinations(collector)[:1])
    await scene.start_beside()
    async with scene.channel() as channel:
        for number in range(10):
            await call(channel, "Track", anonymous_id=f"a-{number}", event_key="visit")
            await call(channel, "Alias", previous_id=f"a-{number}", user_id=f"u-{number}")
            await call(channel, "Identify", user_id=f"u-{number}", traits=values({"n": number}))
            await call(channel, "Track", user_id=f"u-{number}", event_key="visit")
        assert await flush(channel) == {}
    messages = [message for request in collector.taken for message in request.json()["batch"]]
    assert [message["type"] for message in messages] == ["track", "alias", "identify", "track"] * 10
    assert [message.get("userId") for message in messages[:4]] == [None, "u-0", "u-0", "u-0"]
    assert len({message["messageId"] for message in messages}) == 40, "ids made here are all different"


async def test_attributes_reach_optimizely_when_its_datafile_knows_them(scene: Scene, collector: Collector) -> None:
    def bots_filtered(datafile: dict[str, Any]) -> None:
        datafile.update(botFiltering=True, anonymizeIP=True)

    scene.publish(shop("41", bots_filtered))
    scene.deliver_to(destinations(collector)[1])
    await scene.start_beside()
    known = {one["key"]: one["id"] for one in shop()["attributes"]}
    async with scene.channel() as channel:
        given: dict[str, Any] = {"country": "DE", "unheard_of": 1, "$opt_user_agent": "curl/8", "app_version": ["2"]}
        await call(channel, "Track", anonymous_id="anon", event_key="purchase", attributes=values(given))
        assert await flush(channel) == {}
    (body,) = [request.json() for request in collector.taken]
    (visitor,) = body["visitors"]
    assert body["anonymize_ip"] is True
    assert visitor["visitor_id"] == "anon"
    sent = {one["entity_id"]: one["value"] for one in visitor["attributes"]}
    assert sent == {known["country"]: "DE", "$opt_user_agent": "curl/8", "$opt_bot_filtering": True}
