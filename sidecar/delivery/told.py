"""What a lane tells the readers of notifications; nothing is made while nobody listens. See docs/notifications.md."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.delivery.backlog import Part
from sidecar.limits import NOTIFIED_EVENT_IDS_MAX
from sidecar.notifications import DeliveryDone, DeliveryState, Kind, Notifications
from sidecar.ports import Answer, Settled


class Teller:
    """One destination's notifications."""

    def __init__(self, destination: str, notifications: Notifications | None) -> None:
        """`notifications` is None where nobody can listen."""
        self._destination, self._notifications = destination, notifications

    def attempted(self, state: DeliveryState, part: Part, answer: Answer, attempt: int) -> None:
        """Tell of one answer; `attempt` counts from 1."""
        if self._wanted():
            error = "" if state is DeliveryState.DELIVERED else answer.detail
            ids = [piece.event_id for piece in part]
            self._tell(state, len(part), ids, status=answer.status, error=error, attempt=attempt)

    def died(self, settled: Settled, event_id: str, attempt: int) -> None:
        """Tell of one dead letter; `attempt` is 0 when it was never tried, `event_id` empty when it cannot be read."""
        if self._wanted():
            error = settled.detail or settled.dead_reason
            self._tell(DeliveryState.DEAD, 1, [event_id], status=settled.status, error=error, attempt=attempt)

    def expired(self, event_count: int) -> None:
        """Tell of events that waited too long; which ones they were is the outbox's to say."""
        if self._wanted():
            self._tell(DeliveryState.DEAD, event_count, (), status=0, error="EXPIRED", attempt=0)

    def _wanted(self) -> bool:
        return self._notifications is not None and self._notifications.wants(Kind.DELIVERY)

    def _tell(
        self,
        state: DeliveryState,
        event_count: int,
        event_ids: Sequence[str],
        *,
        status: int,
        error: str,
        attempt: int,
    ) -> None:
        assert self._notifications is not None, "asked before"
        done = DeliveryDone(
            destination=self._destination,
            state=state,
            event_count=event_count,
            event_ids=tuple(filter(None, event_ids[:NOTIFIED_EVENT_IDS_MAX])),
            status=status,
            error=error,
            attempt=attempt,
        )
        self._notifications.publish(done)
