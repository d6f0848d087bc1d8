"""`TrackingService/Flush`: waits until what was accepted is delivered, or says how much is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sidecar import limits
from sidecar.delivery import Delivery
from sidecar.pb import tracking_pb2
from sidecar.rpc.methods import Call, Method, Unary
from sidecar.rpc.requests import Violations, parse
from sidecar.tracker import Tracker

_DURATION_MAX_S: Final = 315_576_000_000
"""10,000 years: the range of `google.protobuf.Duration`."""


class FlushHandlers:
    """The handler of `Flush`, over the deliveries."""

    def __init__(self, tracker: Tracker, delivery: Delivery) -> None:
        self._tracker, self._delivery = tracker, delivery

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {"/sidecar.v1.TrackingService/Flush": Unary(self.flush)}

    async def flush(self, request: bytes, call: Call) -> bytes:
        """`Flush`: everything accepted before it is delivered when this returns, or the reply says what is left."""
        violations = Violations()
        message = parse(tracking_pb2.FlushRequest, request, violations)
        asked = message.timeout
        # Why not ToTimedelta: it fails beyond what Python can say, and so does not say what is wrong.
        timeout_s = asked.seconds + asked.nanos / 1e9 if message.HasField("timeout") else limits.FLUSH_S
        if not 0 <= timeout_s <= _DURATION_MAX_S:
            violations.add("timeout", f"is {timeout_s:g} s, wanted 0 to {_DURATION_MAX_S} s")
        violations.raise_if_any()
        takers = self._tracker.takers(message.datafile)
        left = await self._delivery.flush(_flush_time_s(timeout_s, call.time_remaining_s()), takers)
        remainders = [
            tracking_pb2.FlushRemainder(
                destination=name, events=events, pause_reason=self._delivery.statuses[name].pause_reason
            )
            for name, events in left.items()
        ]
        return tracking_pb2.FlushResponse(remainders=remainders).SerializeToString()


def _flush_time_s(asked_s: float, remaining_s: float | None) -> float:
    """How long to wait: what was asked, but so that the answer is back before the caller's deadline."""
    waits = [limits.FLUSH_MAX_S, asked_s]
    if remaining_s is not None:
        waits.append(max(0.0, remaining_s - limits.FLUSH_REPLY_RESERVE_S))
    return min(waits)
