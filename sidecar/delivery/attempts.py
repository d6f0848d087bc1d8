"""Sends one batch until it is answered for good, and knows how the destination is: well, failing or paused.

The only place of a lane that waits for a destination. The table of answers is in `sidecar.retry`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from sidecar.delivery.backlog import Part
from sidecar.delivery.pace import Pace
from sidecar.delivery.status import DestinationStatus
from sidecar.delivery.told import Teller
from sidecar.notifications import DeliveryState
from sidecar.ports import Answer, Batch, Clock, Destination
from sidecar.retry import Verdict

SINGLES_REFUSED: Final = "single events are refused one after the other, so the fault is not the events'"


class Attempts:
    """One destination's attempts, one after the other; used by its lane alone."""

    def __init__(
        self,
        *,
        destination: Destination,
        clock: Clock,
        random: Callable[[], float],
        pace: Pace,
        life: str,
        changed: Callable[[], None],
        teller: Teller,
    ) -> None:
        self.status = DestinationStatus(destination.name)
        self._destination = destination
        self._clock = clock
        self._random = random
        self._pace = pace
        self._life = life
        # Called after each change of `status.paused`, for a flush that waits.
        self._changed = changed
        self._teller = teller
        self.attempt = 0
        """How often the last part was tried."""
        # Set by a flush: a backoff that is being waited for ends, once. Neither a pause nor a Retry-After
        # does.
        self._hurry = asyncio.Event()
        # Paused because single events were refused one after the other: only a batch taken whole shows that
        # the destination is well, so a refused probe must not bisect again.
        self._distrusted = False
        self._log = structlog.get_logger().bind(destination=destination.name)

    def hurry(self) -> None:
        """Try again soon if the lane is backing off."""
        self._hurry.set()

    def distrust(self, answer: Answer, single: Part) -> None:
        """Pause: eight singles refused in a row, of which `single` is the last."""
        self._distrusted = True
        self._pause(answer, f"{SINGLES_REFUSED}; the last answer was {answer.detail}")
        self._teller.attempted(DeliveryState.PAUSED, single, answer, self.attempt)

    async def until_answered(self, part: Part, expired: Callable[[], Awaitable[bool]]) -> Answer | None:
        """Send these events until the answer is DELIVERED or REFUSED; None when some expired while it waited.

        `expired` is asked after each wait.
        """
        self.attempt = 0
        if self._distrusted:
            await asyncio.sleep(self._pace.probe_interval_s)
        while True:
            answer = await self._attempt(part, self.attempt)
            self.attempt += 1
            if answer.verdict is Verdict.DELIVERED or (answer.verdict is Verdict.REFUSED and not self._distrusted):
                self._well()
                if answer.verdict is Verdict.DELIVERED:
                    self._teller.attempted(DeliveryState.DELIVERED, part, answer, self.attempt)
                return answer
            self.status.retries += 1
            self._judge(answer)
            state = DeliveryState.PAUSED if self.status.paused else DeliveryState.RETRYING
            self._teller.attempted(state, part, answer, self.attempt)
            await self._wait_after(answer)
            if await expired():
                return None

    async def _attempt(self, part: Part, attempt: int) -> Answer:
        first, last = part[0].cursor, part[-1].cursor
        of = part[0].of
        batch = Batch(
            batch_id=f"{self._life}-{first.record_id}.{first.event_index}-{last.record_id}.{last.event_index}",
            facts=of.facts if of else None,
            rendered=[piece.rendered for piece in part],
            attempt=attempt,
            now_ms=self._clock.now_ms(),
        )
        status = self.status
        status.attempts += 1
        began_s = self._clock.monotonic_s()
        try:
            answer = await self._destination.send(batch)
        except Exception as error:  # noqa: BLE001 - an adapter's mistake must not end the daemon
            answer = Answer(Verdict.RETRY, f"cannot send: {type(error).__name__}")
            self._log.exception("destination_broken")
        status.latency_s_last = self._clock.monotonic_s() - began_s
        status.latency_s_sum += status.latency_s_last
        if answer.verdict is Verdict.DELIVERED:
            status.batches_delivered += 1
            status.events_delivered += len(part)
            status.bytes_delivered += sum(map(len, batch.rendered))
            status.last_delivered_ms = self._clock.now_ms()
            self._distrusted = False
        else:
            status.last_error, status.last_error_status = answer.detail, answer.status
            status.last_error_ms = self._clock.now_ms()
        return answer

    def _judge(self, answer: Answer) -> None:
        """Note what a failed attempt says of the destination: it fails, or it must be paused."""
        status = self.status
        if answer.verdict is Verdict.PAUSE and not status.paused:
            self._pause(answer, answer.detail)
        if not status.paused:
            status.failures += 1
            if status.failures == 1:
                self._log.warning("destination_failing", status=answer.status, detail=answer.detail)

    async def _wait_after(self, answer: Answer) -> None:
        """Wait as the answer and the state of the destination demand."""
        status = self.status
        if status.paused:
            await asyncio.sleep(max(self._pace.probe_interval_s, answer.retry_after_s or 0))
            return
        if answer.retry_after_s is not None:
            await asyncio.sleep(answer.retry_after_s)
            return
        await self._back_off(self._pace.delay_s(status.failures - 1, self._random()))

    async def _back_off(self, delay_s: float) -> None:
        # The shortest wait is never cut short, so that a caller who flushes in a loop makes no hail of
        # attempts.
        at_least_s = min(delay_s, self._pace.backoff_min_s)
        self._hurry.clear()
        await asyncio.sleep(at_least_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s - at_least_s):
                await self._hurry.wait()

    def _pause(self, answer: Answer, reason: str) -> None:
        status = self.status
        status.paused, status.pause_reason = True, reason
        status.paused_since_ms = self._clock.now_ms()
        self._log.error(
            "destination_paused",
            status=answer.status,
            reason=reason,
            probe_interval_s=self._pace.probe_interval_s,
        )
        self._changed()

    def _well(self) -> None:
        """The destination has judged a batch: whatever ailed it is over."""
        status = self.status
        if status.paused:
            paused_ms = self._clock.now_ms() - status.paused_since_ms
            status.paused, status.pause_reason, status.paused_since_ms = False, "", 0
            self._log.info("destination_resumed", paused_ms=paused_ms)
            self._changed()
        elif status.failures:
            self._log.info("destination_recovered", failures=status.failures)
        status.failures = 0
