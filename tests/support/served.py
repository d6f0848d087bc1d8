"""Everything that `app` builds, inside the test's own process: real outbox, real sources, a wire on real sockets.

Deliveries do not run unless asked, so that what was accepted stays in the outbox to be looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from grpc import aio

from sidecar import config
from sidecar.app import settings as schema
from sidecar.app.build import Parts, build
from sidecar.events.model import Event
from sidecar.pb import decision_pb2, tracking_pb2, value_pb2
from sidecar.rpc.records import StoredRecordCodec
from sidecar.rpc.wire_values import to_wire
from sidecar.values import Value
from tests.support.refusals import Said, said
from tests.support.wire import CHOSEN

SHOP = Path(__file__).parents[2] / "examples" / "shop.json"
WEBHOOK: Mapping[str, Any] = {"name": "hook", "type": "webhook", "endpoint": "http://127.0.0.1:9/"}
OPTIMIZELY: Mapping[str, Any] = {"name": "optimizely", "type": "optimizely", "endpoint": "http://127.0.0.1:9/"}
BOTH = (OPTIMIZELY, WEBHOOK)
"""Destinations that nobody answers for: what is queued there stays."""

ReplyT = TypeVar("ReplyT", bound=Message)


@dataclass
class Served:
    """A running server and a channel to its first address."""

    parts: Parts
    addresses: Sequence[str]
    channel: aio.Channel

    async def call(
        self, method: str, request: Message | bytes, reply: type[ReplyT], *, timeout_s: float = 10.0, token: str = ""
    ) -> ReplyT:
        """One unary call; raises `grpc.aio.AioRpcError`."""
        unary: Any = self.channel.unary_unary(method)
        body = request if isinstance(request, bytes) else request.SerializeToString()
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return reply.FromString(await unary(body, timeout=timeout_s, metadata=metadata))

    def stream(self, method: str, request: Message, *, timeout_s: float = 10.0) -> Any:
        """A server-streaming call, whose messages are bytes."""
        stream: Any = self.channel.unary_stream(method)
        return stream(request.SerializeToString(), timeout=timeout_s)

    async def refused(self, method: str, request: Message | bytes) -> Said:
        """What a call that must fail says."""
        with_error: BaseException | None = None
        try:
            await self.call(method, request, decision_pb2.DecideResponse)
        except aio.AioRpcError as error:
            with_error = error
        assert isinstance(with_error, grpc.RpcError), f"{method} was answered, wanted a refusal"
        return said(with_error)

    async def decide(self, **fields: Any) -> decision_pb2.DecideResponse:
        """`Decide`, for the user `u` unless told otherwise."""
        return await self.call(DECIDE, decide_request(**fields), decision_pb2.DecideResponse)

    async def track(self, **fields: Any) -> tracking_pb2.TrackResponse:
        """`Track` of `purchase` by the user `u` unless told otherwise."""
        return await self.call(TRACK, track_request(**fields), tracking_pb2.TrackResponse)

    async def events(self, destination: str = "hook") -> list[Event]:
        """What a destination has pending, oldest first, as its delivery would read it."""
        await self.parts.outbox.position()
        records = await self.parts.outbox.read(destination, None, 100_000)
        codec = StoredRecordCodec()
        return [event for record in records for event in codec.events(record)]


TRACK = "/sidecar.v1.TrackingService/Track"
DECIDE = "/sidecar.v1.DecisionService/Decide"


def decide_request(**fields: Any) -> decision_pb2.DecideRequest:
    """A DecideRequest; `attributes` are native values."""
    attributes = fields.pop("attributes", {})
    return decision_pb2.DecideRequest(**{"user_id": "u", **fields}, attributes=values(attributes))


def track_request(**fields: Any) -> tracking_pb2.TrackRequest:
    """A TrackRequest; its maps are native values."""
    maps: dict[str, Any] = {
        name: values(fields.pop(name))
        for name in ("attributes", "event_tags", "properties", "context", "integrations")
        if name in fields
    }
    return tracking_pb2.TrackRequest(**{"user_id": "u", "event_key": "purchase", **fields}, **maps)


def values(native: Mapping[str, Value]) -> dict[str, value_pb2.Value]:
    """A map of the contract."""
    return {key: to_wire(value) for key, value in native.items()}


def settings_of(directory: Path, configuration: Mapping[str, Any]) -> schema.Settings:
    """Settings for a test: any free port, a data directory of its own, the example datafile, nobody to deliver to."""
    defaults: dict[str, Any] = {
        "grpc_listen": ["127.0.0.1:0"],
        "transport": CHOSEN.transport,
        "data_dir": str(directory / "data"),
        "destinations": [dict(one) for one in BOTH],
    }
    if "datafiles" not in configuration:
        defaults["datafile"] = str(SHOP)
    return config.read(schema.Settings, {**defaults, **configuration})


@contextlib.asynccontextmanager
async def serving(
    directory: Path, configuration: Mapping[str, Any] | None = None, *, deliver: bool = False, loaded: bool = True
) -> AsyncIterator[Served]:
    """Serve with this configuration; `loaded` waits until every datafile is applied."""
    settings = settings_of(directory, configuration or {})
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as closing:
        parts = await build(settings, closing)
        services = [
            *parts.datafiles.services(),
            *parts.keeping,
            *(parts.delivery.services().values() if deliver else ()),
        ]
        # Why no TaskGroup: it would wrap what a test raises.
        tasks = [asyncio.create_task(service()) for service in services]
        try:
            addresses = await parts.transport.start()
            if loaded:
                for name in parts.datafiles.names:
                    await parts.datafiles.wait_first(name)
            async with aio.insecure_channel(addresses[0]) as channel:
                yield Served(parts, addresses, channel)
        finally:
            await parts.transport.stop(0)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
