"""One daemon as its users see it: a datafile that is swapped, calls over a socket, events at a collector."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpc import aio

from sidecar.pb import datafile_pb2, decision_pb2, tracking_pb2, value_pb2
from tests.support.daemon import ROOT, Daemon

DECIDE = "/sidecar.v1.DecisionService/Decide"
TRACK = "/sidecar.v1.TrackingService/Track"
FLUSH = "/sidecar.v1.TrackingService/Flush"
GET_STATUS = "/sidecar.v1.DatafileService/GetStatus"

SHOP: Mapping[str, Any] = json.loads((ROOT / "examples" / "shop.json").read_text())

ReplyT = TypeVar("ReplyT", bound=Message)


class Scene:
    """A ConfigMap-like directory, a daemon configured to read it, and the calls that tests make."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mount = directory / "mount"
        self.mount.mkdir()
        self.datafile = self.mount / "datafile.json"
        self.socket = directory / "sidecar.sock"
        self.configuration: dict[str, Any] = {
            "datafiles": {"default": {"path": str(self.datafile)}},
            "destinations": [{"name": "console", "type": "stdout"}],
            "grpc_listen": ["127.0.0.1:0", f"unix:{self.socket}"],
        }
        self.daemon = Daemon(directory / "daemon", self.configuration)
        self._generation = 0

    def deliver_to(self, *destinations: Mapping[str, Any]) -> None:
        """Configure the destinations of the next start."""
        self.daemon.configuration["destinations"] = [dict(one) for one in destinations]

    def start(self) -> Daemon:
        """Start the daemon, with the example datafile if there is none yet."""
        if not self.datafile.exists():
            self.publish(shop())
        return self.daemon.start()

    async def start_beside(self) -> Daemon:
        """The same, while this test's own loop (a collector, callers) goes on."""
        return await asyncio.to_thread(self.start)

    def start_datafile(self) -> None:
        """Publish the example datafile."""
        self.publish(shop())

    def second_daemon(self) -> Daemon:
        """Another process with the same data directory."""
        return Daemon(self.directory / "second", {**self.configuration, "data_dir": str(self.daemon.data_dir)})

    def publish(self, datafile: Mapping[str, Any] | bytes) -> None:
        """Replace the datafile as the kubelet replaces a ConfigMap: a new directory, and one link that is swapped."""
        self._generation += 1
        generation = self.mount / f"..generation-{self._generation}"
        generation.mkdir()
        body = datafile if isinstance(datafile, bytes) else json.dumps(datafile).encode()
        (generation / "datafile.json").write_bytes(body)
        link = self.mount / "..data_tmp"
        link.symlink_to(generation.name)
        link.rename(self.mount / "..data")
        if not self.datafile.is_symlink():
            self.datafile.symlink_to("..data/datafile.json")

    def channel(self, *, unix: bool = False) -> aio.Channel:
        """A channel to the daemon, over TCP or its Unix socket."""
        address = f"unix:{self.socket}" if unix else self.daemon.address
        return aio.insecure_channel(address, options=(("grpc.use_local_subchannel_pool", 1),))

    def memory_bytes(self) -> int:
        """The daemon's resident memory."""
        pages = Path(f"/proc/{self.daemon.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def shop(revision: str = "41", edit: Any = None) -> dict[str, Any]:
    """The example datafile, as another revision, edited in place by `edit`."""
    datafile = copy.deepcopy(dict(SHOP))
    datafile["revision"] = revision
    if edit is not None:
        edit(datafile)
    return datafile


async def decide(channel: aio.Channel, user_id: str, *flag_keys: str, **more: Any) -> decision_pb2.DecideResponse:
    """One Decide with the attributes that the shop's audiences look at."""
    request = decision_pb2.DecideRequest(
        user_id=user_id,
        flag_keys=flag_keys,
        attributes={
            "country": value_pb2.Value(string_value="DE"),
            "app_version": value_pb2.Value(string_value="2.5.0"),
        },
        **more,
    )
    return await unary(channel, DECIDE, request, decision_pb2.DecideResponse)


async def track(channel: aio.Channel, event_id: str, **more: Any) -> tracking_pb2.TrackResponse:
    """One Track of `purchase`."""
    request = tracking_pb2.TrackRequest(user_id="user-1", event_key="purchase", event_id=event_id, **more)
    return await unary(channel, TRACK, request, tracking_pb2.TrackResponse)


async def flush(channel: aio.Channel, seconds: int = 10) -> Mapping[str, int]:
    """Flush; what each destination still lacks."""
    request = tracking_pb2.FlushRequest()
    request.timeout.seconds = seconds
    reply = await unary(channel, FLUSH, request, tracking_pb2.FlushResponse, timeout_s=seconds + 5)
    return {one.destination: one.events for one in reply.remainders if one.events}


async def status(channel: aio.Channel) -> datafile_pb2.GetStatusResponse:
    """What the daemon knows of its datafile."""
    return await unary(channel, GET_STATUS, datafile_pb2.GetStatusRequest(), datafile_pb2.GetStatusResponse)


async def unary(
    channel: aio.Channel, method: str, request: Message, reply: type[ReplyT], timeout_s: float = 10.0
) -> ReplyT:
    """One unary call."""
    call: aio.UnaryUnaryMultiCallable[Message, ReplyT] = channel.unary_unary(
        method, request_serializer=type(request).SerializeToString, response_deserializer=reply.FromString
    )
    return await call(request, timeout=timeout_s)


def event_ids(received: Any) -> list[str]:
    """The ids of the events in one request to a webhook."""
    return [event["event_id"] for event in received.json()]
