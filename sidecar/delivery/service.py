"""The face of delivery: services for the TaskGroup of `app`, flush, drain, and how each destination is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from sidecar.delivery.lane import Lane
from sidecar.delivery.pace import Pace
from sidecar.delivery.status import DestinationStatus
from sidecar.delivery.told import Teller
from sidecar.notifications import Notifications
from sidecar.ports import Clock, Destination, Ids, Outbox, RecordCodec


class Delivery:
    """One lane a destination; none ever waits for another."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        codec: RecordCodec,
        destinations: Sequence[Destination],
        clock: Clock,
        ids: Ids,
        random: Callable[[], float],
        pace: Pace | None = None,
        notifications: Notifications | None = None,
        decisions: Callable[[], int] = lambda: 0,
    ) -> None:
        """`random` is uniform in 0 ≤ x < 1, for the jitter of retries; `notifications` are told of each attempt.

        `decisions` is how many were made so far: while it grows, lanes rest between slices of work.
        """
        self._outbox = outbox
        # Names the batches of this process: the same events may make other batches after a restart.
        life = ids.new()
        self._lanes = {
            destination.name: Lane(
                destination=destination,
                outbox=outbox,
                codec=codec,
                clock=clock,
                random=random,
                pace=pace or Pace(),
                life=f"{life}-{number}",
                teller=Teller(destination.name, notifications),
                decisions=decisions,
            )
            for number, destination in enumerate(destinations)
        }
        self._log = structlog.get_logger()

    @property
    def statuses(self) -> Mapping[str, DestinationStatus]:
        """How each destination is, by name; the values change in place."""
        return {name: lane.status for name, lane in self._lanes.items()}

    def services(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """One coroutine function a destination, by name, each to be run once, until it is cancelled."""
        return {name: partial(self.run, name) for name in self._lanes}

    async def run(self, destination: str) -> None:
        """Deliver to one destination until cancelled."""
        await self._lanes[destination].run()

    async def flush(self, deadline_s: float, destinations: Collection[str] | None = None) -> Mapping[str, int]:
        """Deliver at once everything accepted before this call; returns what each destination still lacks.

        Returns when nothing is left, at the latest after `deadline_s` seconds. A paused destination is not
        waited for. `destinations` limits it to these, None means all.
        """
        through = await self._outbox.position()
        lanes = {name: lane for name, lane in self._lanes.items() if destinations is None or name in destinations}
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await asyncio.gather(*(lane.reached(through) for lane in lanes.values()))
        return {name: await self._outbox.left(name, through) for name in lanes}

    async def drain(self, deadline_s: float) -> Mapping[str, int]:
        """The last flush, at stop; what it leaves is on disk, and goes out after the next start."""
        left = await self.flush(deadline_s)
        self._log.info("deliveries_drained", left=sum(left.values()))
        return left
