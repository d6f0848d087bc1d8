"""The way of one destination: take a batch, send it, bisect what is refused, settle, again. FIFO."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog

from sidecar.delivery.attempts import Attempts
from sidecar.delivery.backlog import Backlog, Part
from sidecar.delivery.pace import Pace
from sidecar.delivery.patience import kept_trying
from sidecar.delivery.status import DestinationStatus
from sidecar.delivery.told import Teller
from sidecar.delivery.turns import Turns
from sidecar.limits import REFUSED_SINGLES_MAX
from sidecar.notifications import DeliveryState
from sidecar.ports import Answer, Clock, Destination, Outbox, RecordCodec, Settled
from sidecar.retry import Verdict


class _Held(NamedTuple):
    """A single event that was refused at its nth attempt, and is not settled yet."""

    single: Part
    settled: Settled
    attempt: int


class Lane:
    """One destination's deliveries. `run` is a service of the daemon; the rest may be called beside it."""

    def __init__(
        self,
        *,
        destination: Destination,
        outbox: Outbox,
        codec: RecordCodec,
        clock: Clock,
        random: Callable[[], float],
        pace: Pace,
        life: str,
        teller: Teller,
        decisions: Callable[[], int],
    ) -> None:
        self.name = destination.name
        self._limits = destination.limits
        self._outbox = outbox
        self._clock = clock
        self._pace = pace
        self._backlog = Backlog(destination, outbox, codec, Turns(decisions))
        self._attempts = Attempts(
            destination=destination,
            clock=clock,
            random=random,
            pace=pace,
            life=life,
            changed=self._tell,
            teller=teller,
        )
        self._teller = teller
        # How many flushes are under way: while there is one, no event waits for company.
        self._flushes = 0
        # Set at the begin of a flush, so that a lane that waits for company stops waiting.
        self._hurried = asyncio.Event()
        # Set and replaced at each change that a flush waits for: events settled, paused, resumed.
        self._progress = asyncio.Event()
        # Single events refused one after the other, over batches, until one is delivered.
        self._refused_singles = 0
        self._looked_for_expired_s = float("-inf")
        self._log = structlog.get_logger().bind(destination=self.name)

    @property
    def status(self) -> DestinationStatus:
        """How the destination is."""
        return self._attempts.status

    async def run(self) -> None:
        """Deliver until cancelled, which loses nothing: what is not settled is read again at next start."""
        while True:
            await self._outbox.arrival(self.name)
            await self._linger()
            await self._expired()
            await kept_trying(self._backlog.fill, self.status)
            part = self._backlog.take()
            if part:
                await self._deliver(part)
            else:
                # What was pending has expired or moved since: never spin on it.
                await asyncio.sleep(self._pace.linger_step_s)

    async def reached(self, through: int) -> None:
        """Returns when no event of records up to `through` is pending here, or the destination is paused."""
        self._flushes += 1
        self._hurried.set()
        self._attempts.hurry()
        try:
            while True:
                progress = self._progress
                # Why kept trying: what a flush waits for is bounded by its deadline, and by nothing else.
                if self.status.paused or not await kept_trying(
                    lambda: self._outbox.left(self.name, through), self.status
                ):
                    return
                await progress.wait()
        finally:
            self._flushes -= 1
            if not self._flushes:
                self._hurried.clear()

    async def _linger(self) -> None:
        """Wait for company: until a batch is full, the age is reached or a flush is under way."""
        until_s = self._clock.monotonic_s() + self._limits.age_max_s
        while not self._flushes and self._outbox.pending(self.name) < self._limits.events_max:
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            try:
                async with asyncio.timeout(min(left_s, self._pace.linger_step_s)):
                    await self._hurried.wait()
            except TimeoutError:
                continue

    async def _deliver(self, part: Part) -> None:
        """Bring each event to its end, delivered or dead; or leave them pending when the queue changed."""
        if part[0].dead is not None:
            await self._settle([piece.dead for piece in part if piece.dead is not None])
            for piece in part:
                assert piece.dead is not None, "the pieces of a part are all dead or all alive"
                self._teller.died(piece.dead, piece.event_id, attempt=0)
            return
        parts = [part]
        # Refused singles are not settled before it is sure that the fault is theirs: they are held, in queue
        # order, until something is delivered after them or the batch is done with fewer than eight in a row.
        held: list[_Held] = []
        while parts:
            trying = parts.pop()
            answer = await self._attempts.until_answered(trying, self._expired)
            if answer is None:
                return
            if answer.verdict is Verdict.DELIVERED:
                self._refused_singles = 0
                await self._bury(held, [Settled(piece.cursor) for piece in trying])
                held = []
            elif len(trying) > 1:
                self._teller.attempted(DeliveryState.RETRYING, trying, answer, self._attempts.attempt)
                middle = len(trying) // 2
                # The left half on top: order is kept, and what is settled is always the head of the queue.
                parts += [trying[middle:], trying[:middle]]
            else:
                tried = self._attempts.attempt
                held.append(_Held(trying, _refused(trying, answer, tried), tried))
                self._refused_singles += 1
                if self._refused_singles >= REFUSED_SINGLES_MAX:
                    self._attempts.distrust(answer, trying)
                    parts = [_joined([one.single for one in held] + parts[::-1])]
                    held = []
        await self._bury(held, [])

    async def _bury(self, held: list[_Held], delivered: list[Settled]) -> None:
        """Settle the refused as dead letters, and what was delivered after them."""
        await self._settle([one.settled for one in held] + delivered)
        for one in held:
            self._teller.died(one.settled, one.single[0].event_id, one.attempt)

    async def _settle(self, settled: list[Settled]) -> None:
        if not settled:
            return
        dead = [one for one in settled if one.dead_reason]
        await kept_trying(lambda: self._outbox.settle(self.name, settled), self.status)
        self.status.events_dead += len(dead)
        if dead:
            self._log.warning(
                "events_dead",
                events=len(dead),
                reason=dead[0].dead_reason,
                status=dead[0].status,
                detail=dead[0].detail,
            )
        self._tell()

    async def _expired(self) -> bool:
        """Let what is too old die, now and then; whether the queue changed by it."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_for_expired_s < self._pace.expiry_interval_s:
            return False
        self._looked_for_expired_s = now_s
        before_ms = self._clock.now_ms() - int(self._pace.age_max_s(self.name) * 1_000)
        expired = await kept_trying(lambda: self._outbox.expire(self.name, before_ms), self.status)
        if not expired:
            return False
        self._backlog.forget()
        self.status.events_dead += expired
        self._log.warning("events_dead", events=expired, reason="EXPIRED")
        self._teller.expired(expired)
        self._tell()
        return True

    def _tell(self) -> None:
        """Wake the flushes that wait for this lane."""
        self._progress.set()
        self._progress = asyncio.Event()


def _joined(parts: list[Part]) -> Part:
    return [piece for part in parts for piece in part]


def _refused(single: Part, answer: Answer, attempts: int) -> Settled:
    return Settled(single[0].cursor, "REFUSED", answer.detail, answer.status, attempts)
