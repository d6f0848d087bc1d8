"""The soak's load: Tracks and Decides at a pace, as cheap for this process as grpc.aio allows.

Open in pace, bounded in flight: what is due while too much is in flight is left out, and the achieved rate says so. A
Track that failed is tried again with its id until it is accepted: a kill may have come between commit and reply.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from grpc import aio

from sidecar.pb import decision_pb2, tracking_pb2, value_pb2
from tests.e2e.scene import DECIDE, TRACK

TICK_S = 0.02
IN_FLIGHT_MAX = 400
CALL_S = 5.0
USERS = 100
_RETRY_S = 0.1


class Load:
    """Calls to one daemon after another: `use` names the one that lives."""

    def __init__(self, tracks_per_s: int, decides_per_s: int) -> None:
        self.accepted: list[str] = []
        """Ids that were answered, in the order of the answers."""
        self.decided = self.tried = self.failed = 0
        self._rates = tracks_per_s, decides_per_s
        self._channel: aio.Channel | None = None
        self._calls: tuple[Any, Any] | None = None
        self._again: deque[str] = deque()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._decides = [_decide(f"user-{number}") for number in range(USERS)]
        self._stopped = False

    async def use(self, address: str) -> None:
        """Call this daemon from now on."""
        if self._channel is not None:
            await self._channel.close()
        self._channel = aio.insecure_channel(address, options=(("grpc.use_local_subchannel_pool", 1),))
        # Bytes in and out: parsing replies would cost more than the calls.
        self._calls = self._channel.unary_unary(TRACK), self._channel.unary_unary(DECIDE)

    async def run(self) -> None:
        """Call at the pace until `stop`."""
        loop = asyncio.get_running_loop()
        began_s, done = loop.time(), [0, 0]
        while not self._stopped:
            elapsed_s = loop.time() - began_s
            for kind, rate in enumerate(self._rates):
                due = int(elapsed_s * rate)
                for number in range(done[kind], due):
                    if len(self._in_flight) < IN_FLIGHT_MAX:
                        self._start(self._track() if kind == 0 else self._decide(number))
                done[kind] = due
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """Begin no more; try again what failed, until each event that was begun is accepted. Closes the channel."""
        self._stopped = True
        while self._in_flight or self._again:
            for _ in range(len(self._again)):
                self._start(self._track())
            if self._in_flight:
                await asyncio.wait(self._in_flight)
        if self._channel is not None:
            await self._channel.close()

    def _start(self, call: Any) -> None:
        task = asyncio.get_running_loop().create_task(call)
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _track(self) -> None:
        if self._again:
            event_id = self._again.popleft()
        else:
            self.tried += 1
            event_id = f"soak-{self.tried}"
        user = f"user-{int(event_id[5:]) % USERS}"
        request = tracking_pb2.TrackRequest(user_id=user, event_key="purchase", event_id=event_id)
        assert self._calls is not None, "a daemon was named"
        try:
            await self._calls[0](request.SerializeToString(), timeout=CALL_S)
        except (aio.AioRpcError, asyncio.CancelledError, aio.UsageError):
            self.failed += 1
            await asyncio.sleep(_RETRY_S)
            self._again.append(event_id)
        else:
            self.accepted.append(event_id)

    async def _decide(self, number: int) -> None:
        assert self._calls is not None, "a daemon was named"
        try:
            await self._calls[1](self._decides[number % USERS], timeout=CALL_S)
        except (aio.AioRpcError, asyncio.CancelledError, aio.UsageError):
            self.failed += 1
        else:
            self.decided += 1


def _decide(user: str) -> bytes:
    request = decision_pb2.DecideRequest(
        user_id=user,
        flag_keys=["checkout_redesign"],
        attributes={
            "country": value_pb2.Value(string_value="DE"),
            "app_version": value_pb2.Value(string_value="2.5.0"),
        },
    )
    return request.SerializeToString()
