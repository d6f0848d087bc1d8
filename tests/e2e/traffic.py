"""Callers that go on through a fault, what became of their calls, and the one question: did everything arrive?

Each caller is a user with a connection's worth of calls one after the other, so a user's events have one order of
acceptance, which the collector must see.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from grpc import aio

from sidecar.pb import tracking_pb2
from tests.collector import Collector, Received
from tests.e2e.scene import TRACK, Scene, decide, unary
from tests.support.conservation import conserved
from tests.support.refusals import DETAILS_KEY, said

Pair: TypeAlias = tuple[str, str]
"""A user's id and an event's."""

PATIENCE_S = 20.0
"""How long a recovery may take on a busy machine."""
_REST_S = 0.02


@dataclass(slots=True)
class Traffic:
    """What callers did so far."""

    scene: Scene
    accepted: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the events that were answered, by user, in the order of their answers."""
    refused: Counter[str] = field(default_factory=Counter)
    """Tracks that were refused, by reason; by status when nothing of ours answered."""
    decided: int = 0
    undecided: Counter[str] = field(default_factory=Counter)
    """Decides that failed, as `refused`."""
    _numbers: Counter[str] = field(default_factory=Counter)

    @property
    def accepted_ids(self) -> set[str]:
        return {event_id for ids in self.accepted.values() for event_id in ids}

    @property
    def accepted_count(self) -> int:
        return sum(map(len, self.accepted.values()))

    async def track(self, channel: aio.Channel, user: str = "caller", times: int = 1) -> None:
        """Events of one user, one after the other; a call that fails is counted and not repeated."""
        for _ in range(times):
            self._numbers[user] += 1
            event_id = f"{user}-{self._numbers[user]}"
            request = tracking_pb2.TrackRequest(user_id=user, event_key="purchase", event_id=event_id)
            try:
                await unary(channel, TRACK, request, tracking_pb2.TrackResponse)
            except aio.AioRpcError as failed:
                self.refused[reason_of(failed)] += 1
            else:
                self.accepted.setdefault(user, []).append(event_id)

    async def decide(self, channel: aio.Channel, user: str = "caller") -> None:
        """One decision."""
        try:
            await decide(channel, user, "checkout_redesign")
        except aio.AioRpcError as failed:
            self.undecided[reason_of(failed)] += 1
        else:
            self.decided += 1

    @asynccontextmanager
    async def running(self, callers: int = 4) -> AsyncIterator[None]:
        """Callers that track and decide in turns within, each as its own user."""
        async with self.scene.channel() as channel, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call(channel, f"user{number}")) for number in range(callers)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _call(self, channel: aio.Channel, user: str) -> None:
        while True:
            await self.track(channel, user)
            await self.decide(channel, user)
            await asyncio.sleep(_REST_S)

    async def until(self, what: Any, timeout_s: float = PATIENCE_S) -> None:
        """Returns when something holds, looked at now and then while the callers go on."""
        async with asyncio.timeout(timeout_s):
            while not what():
                await asyncio.sleep(_REST_S)

    async def go_on(self, tracks: int = 20, decides: int = 20) -> None:
        """Returns when so many more events were accepted and decisions made."""
        tracked, decided = self.accepted_count + tracks, self.decided + decides
        await self.until(lambda: self.accepted_count >= tracked and self.decided >= decided)


def hook(collector: Collector, **more: Any) -> dict[str, Any]:
    """A webhook on a collector, without patience."""
    return {
        "name": "hook",
        "type": "webhook",
        "endpoint": f"{collector.url}/hook",
        "batch_age_max": "20ms",
        "timeout": "1s",
        **more,
    }


async def accept(traffic: Traffic, events: int) -> None:
    """So many events of one user, each accepted."""
    async with traffic.scene.channel() as channel:
        await traffic.track(channel, times=events)
    assert traffic.accepted_count == events


def reason_of(failed: grpc.RpcError) -> str:
    """The reason that we gave; the status when it was not ours."""
    call: Any = failed
    details = dict(call.trailing_metadata() or ())
    return said(failed).reason if DETAILS_KEY in details else str(call.code().name)


def tracks_of(requests: Iterable[Received]) -> list[Pair]:
    """The Tracks in requests to a webhook, in order; impressions are left out."""
    events = (event for request in requests for event in request.json())
    return [(event["user_id"], event["event_id"]) for event in events if event["kind"] == "track"]


async def all_arrived(traffic: Traffic, collector: Collector, timeout_s: float = PATIENCE_S) -> int:
    """Wait until each accepted event is at the collector, in its user's order; returns how many came again."""
    # As of now: callers may go on.
    accepted = {user: list(ids) for user, ids in traffic.accepted.items()}
    wanted = traffic.accepted_ids

    def missing() -> set[str]:
        return wanted - {event_id for _, event_id in tracks_of(collector.taken)}

    try:
        await collector.wait_until(lambda: not missing(), timeout_s)
    except TimeoutError:
        lost = missing()
        log = traffic.scene.daemon.log[-3000:]
        raise AssertionError(
            f"{len(lost)} of {len(wanted)} accepted did not arrive: {sorted(lost)[:5]}\n{log}"
        ) from None
    arrived = tracks_of(collector.taken)
    assert_in_order(accepted, arrived)
    return len(arrived) - len(set(arrived))


def assert_in_order(accepted: Mapping[str, Sequence[str]], arrived: Iterable[Pair]) -> None:
    """A user's events arrive first in the order in which they were accepted."""
    seen: dict[str, list[str]] = {}
    for user, event_id in dict.fromkeys(arrived):
        seen.setdefault(user, []).append(event_id)
    for user, ids in accepted.items():
        mine = set(ids)
        assert [one for one in seen[user] if one in mine] == ids, f"events of {user} arrived in another order"


async def settled(scene: Scene, pending: int = 0, destination: str = "hook") -> Any:
    """Wait until that many events are pending at a destination; its counts, which add up all the while."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            counts = (await asyncio.to_thread(conserved, scene.daemon))[destination]
            if counts.pending == pending:
                return counts
            await asyncio.sleep(_REST_S)


async def metric(scene: Scene, sample: str) -> float:
    """One sample of the daemon's `/metrics`, named with its labels as it stands there."""

    def read() -> str:
        with urllib.request.urlopen(f"http://{scene.daemon.http}/metrics", timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    (line,) = [line for line in (await asyncio.to_thread(read)).splitlines() if line.startswith(f"{sample} ")]
    return float(line.rpartition(" ")[2])


async def logged(scene: Scene, event: str, **fields: Any) -> dict[str, Any]:
    """Wait for an event of the log with these fields."""
    return await asyncio.to_thread(
        scene.daemon.wait_for_log, event, lambda one: all(one.get(key) == value for key, value in fields.items())
    )
