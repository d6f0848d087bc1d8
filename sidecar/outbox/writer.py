"""Group commit: the one thread that touches the database, and how work gets to it and answers get back.

The event loop gathers work while a commit runs and hands it over in one piece; the answers of one commit come
back with one `call_soon_threadsafe`. Why: a thread wake-up per event halves throughput. A command is
handed over at the end of the loop's turn when the thread is idle, else when the running commit reports; an
awaited record too, unless several waited at once before it: then it waits for as many, `COMPANY_S` at most.
Offers alone wait up to `COMMIT_INTERVAL_S`, or until they are worth a commit by size.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeAlias

import structlog

from sidecar.errors import OutboxSchemaNewer, OutboxUnopened, OutboxUnwritable
from sidecar.limits import (
    APPENDED_BYTES_MAX,
    COMMIT_INTERVAL_S,
    COMPANY_S,
    EVENT_OVERHEAD_BYTES,
    HAND_OVER_BYTES,
    OFFERED_BYTES_MAX,
    OUTBOX_RETRY_AFTER_S,
    SALVAGE_INTERVAL_S,
)
from sidecar.outbox.joining import Bundle, Group
from sidecar.outbox.store import Store
from sidecar.outbox.transact import Answered, Batch, Command, Report, transact
from sidecar.ports import Record, Written

CLOSED = "CLOSED"
OFFERS_FULL = "OFFERS_FULL"


@dataclass(slots=True)
class OutboxStats:
    """What the metrics show: written by the event loop's thread alone.

    `commit_seconds` is the sum of their durations; `offered_refused` counts records by reason: OFFERS_FULL
    (too many wait for a commit), OUTBOX_FULL, OUTBOX_UNWRITABLE, CLOSED; `writable` is false from a commit
    that failed to the next that succeeds, and `cause` says why; `salvages` counts damaged files that were replaced.
    """

    commits: int = 0
    commit_seconds: float = 0.0
    offered_refused: dict[str, int] = field(default_factory=dict)
    writable: bool = True
    cause: str = ""
    salvages: int = 0

    def refuse(self, reason: str, records: int = 1) -> None:
        """Count offered records that were not accepted."""
        self.offered_refused[reason] = self.offered_refused.get(reason, 0) + records


OnReport: TypeAlias = Callable[[dict[str, int]], None]
"""Called after each commit with the pending events by destination."""


class Writer:
    """Gathers on the event loop, works on its thread. All methods are the event loop's.

    `_gathered` waits for the next hand-over, in the order given; `_offered_bytes` and `_appended_bytes` count
    what is there or with the thread. `_busy`: the thread has a batch. `_timer`: the hand-over that offers
    wait for; `_due`: it fired while the thread was busy, or a command is gathered. `_scheduled`: a hand-over
    ends this turn. `_awaited` records are gathered, `_answering` are with the thread; `_most_awaited` is the
    most of both since the last hand-over, `_expected` that of the time before. `_company`: the hand-over that
    fewer than `_expected` wait for.
    """

    def __init__(self, open_store: Callable[[], Store], on_report: OnReport) -> None:
        self.stats = OutboxStats()
        self._log = structlog.get_logger()
        self._loop = asyncio.get_running_loop()
        self._on_report = on_report
        self._gathered: list[Bundle | Group | Command] = []
        self._bundle: Bundle | None = None
        """The last that was gathered, when it is one: what comes next may join it, so that the order stays."""
        self._offered_bytes = 0
        self._appended_bytes = 0
        self._busy = False
        self._due = False
        self._scheduled = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._awaited = self._answering = self._most_awaited = self._expected = 0
        self._company: asyncio.TimerHandle | None = None
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._mend_not_before_s = 0.0
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # Why a daemon: a loop that dies without `close` must not keep the process; commits are safe on disk.
        self._thread = threading.Thread(target=self._run, args=(open_store,), name="outbox", daemon=True)

    async def start(self) -> None:
        """Start the thread and return when its store is open; raises what opening raises."""
        self._thread.start()
        await self._opened

    def offer(self, record: Record) -> bool:
        """`Outbox.offer`. The hot path of a Decide: two additions and a list append."""
        offered_bytes = self._offered_bytes + len(record.body) + EVENT_OVERHEAD_BYTES
        if offered_bytes > HAND_OVER_BYTES or self._closed:
            return self._offer_much(record, offered_bytes)
        self._offered_bytes = offered_bytes
        bundle = self._bundle
        if bundle is None or not bundle.takes(record):
            self._gather(record)
            if self._timer is None:
                self._timer = self._loop.call_later(COMMIT_INTERVAL_S, self._interval_over)
        return True

    def _offer_much(self, record: Record, offered_bytes: int) -> bool:
        if self._closed or offered_bytes > OFFERED_BYTES_MAX:
            self.stats.refuse(CLOSED if self._closed else OFFERS_FULL)
            return False
        self._offered_bytes = offered_bytes
        if self._bundle is None or not self._bundle.takes(record):
            self._gather(record)
        self._hurry()
        return True

    def append(self, record: Record) -> Written:
        """`Outbox.append`."""
        size = len(record.body) + EVENT_OVERHEAD_BYTES
        if self._closed or self._appended_bytes + size > APPENDED_BYTES_MAX:
            raise self._refusal()
        self._appended_bytes += size
        bundle = self._bundle
        if bundle is None or not bundle.takes(record):
            bundle = self._gather(record)
        written = Written()
        bundle.waiting.append((len(bundle.records) - 1, written))
        bundle.appended_bytes += size
        self._awaited += 1
        if not (self._busy or self._scheduled):
            self._await_company()
        return written

    def append_together(self, records: Sequence[Record]) -> Written:
        """Records that are taken all or none. Raises as `append`."""
        group = Group(tuple(records), Written())
        if self._closed or self._appended_bytes + group.appended_bytes > APPENDED_BYTES_MAX:
            raise self._refusal()
        self._appended_bytes += group.appended_bytes
        self._gathered.append(group)
        self._bundle = None
        self._awaited += 1
        if not (self._busy or self._scheduled):
            self._await_company()
        return group.written

    def _refusal(self) -> OutboxUnwritable:
        """Why nothing more can be waited for."""
        if self._closed:
            return OutboxUnwritable("it is closed", retry_after_s=OUTBOX_RETRY_AFTER_S)
        cause = f"{self._appended_bytes} bytes wait for a commit, wanted at most {APPENDED_BYTES_MAX}"
        return OutboxUnwritable(cause, retry_after_s=OUTBOX_RETRY_AFTER_S)

    def _gather(self, record: Record) -> Bundle:
        bundle = self._bundle = Bundle(record)
        self._gathered.append(bundle)
        return bundle

    def command(self, act: Callable[[Store], Any], *, writes: bool) -> asyncio.Future[Any]:
        """Gather a command: run in the transaction of its batch when it `writes`, else after it."""
        answered: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            raise OutboxUnwritable("it is closed", retry_after_s=OUTBOX_RETRY_AFTER_S)
        self._gathered.append(Command(act, writes, answered))
        self._bundle = None
        self._hurry()
        return answered

    async def close(self) -> None:
        """Commit what was gathered, close the store, end the thread. Idempotent."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._batches.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _hurry(self) -> None:
        """Hand over at the end of this turn, or when the running commit reports."""
        self._due = True
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn_over)

    def _await_company(self) -> None:
        """Hand over what is awaited once as many wait as waited last time, or when none came in `COMPANY_S`.

        One caller after another is so never held up, and many at once share a commit, which costs several calls.
        """
        if self._awaited >= self._expected:
            self._hurry()
        elif self._company is None:
            self._company = self._loop.call_later(COMPANY_S, self._company_over)

    def _company_over(self) -> None:
        self._company = None
        if not self._busy:
            self._hand_over()

    def _turn_over(self) -> None:
        self._scheduled = False
        if not self._busy:
            self._hand_over()

    def _interval_over(self) -> None:
        self._timer = None
        self._due = True
        if not self._busy:
            self._hand_over()

    def _hand_over(self) -> None:
        if not self._gathered:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._company is not None:
            self._company.cancel()
            self._company = None
        self._busy, self._due = True, False
        self._expected = max(self._most_awaited, self._awaited)
        self._answering = self._most_awaited = self._awaited
        self._awaited = 0
        gathered, self._gathered, self._bundle = self._gathered, [], None
        self._batches.put(Batch(gathered))

    # --- on the thread --------------------------------------------------------------------------------------

    def _run(self, open_store: Callable[[], Store]) -> None:
        try:
            store = open_store()
        except BaseException as cause:  # noqa: BLE001 - handed to `start`, which raises it
            self._tell(self._fail_start, cause)
            return
        self._tell(self._started, (store.pending(), store.salvages))
        while (batch := self._batches.get()) is not None:
            report = transact(store, batch)
            self._tell(self._reported, report)
            if store.damage:
                store = self._mended(store)
        store.close()
        self._tell(self._end, None)

    def _mended(self, store: Store) -> Store:
        """A store over what can be read of the damaged file of this one; this one while that cannot be made."""
        if time.monotonic() < self._mend_not_before_s:
            return store
        self._mend_not_before_s = time.monotonic() + SALVAGE_INTERVAL_S
        try:
            mended = store.reopened()
        except (OutboxUnopened, OutboxSchemaNewer) as cause:
            structlog.get_logger().error("outbox_salvage_failed", damage=store.damage, cause=str(cause))
            return store
        self._tell(self._salvaged, mended.pending())
        return mended

    def _tell(self, callback: Callable[[Any], None], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            # The loop is closed: nobody waits for this answer any more.
            return

    # --- on the event loop again ----------------------------------------------------------------------------

    def _fail_start(self, cause: BaseException) -> None:
        self._closed = True
        self._end(None)
        if not self._opened.done():
            self._opened.set_exception(cause)

    def _end(self, _: None) -> None:
        self._ended.set_result(None)

    def _started(self, started: tuple[dict[str, int], int]) -> None:
        pending, self.stats.salvages = started
        self._on_report(pending)
        if not self._opened.done():
            self._opened.set_result(None)

    def _salvaged(self, pending: dict[str, int]) -> None:
        self.stats.salvages += 1
        self._on_report(pending)

    def _reported(self, report: Report) -> None:
        self._most_awaited = max(self._most_awaited, self._answering + self._awaited)
        self._busy, self._answering = False, 0
        self._offered_bytes -= report.offered_bytes
        self._appended_bytes -= report.appended_bytes
        stats = self.stats
        stats.commits += report.commits
        stats.commit_seconds += report.commit_seconds
        if report.writable is not None and report.writable is not stats.writable:
            stats.writable, stats.cause = report.writable, report.cause
            if report.writable:
                self._log.info("outbox_writable_again")
            else:
                self._log.error("outbox_unwritable", cause=report.cause)
        for reason, records in report.refused.items():
            stats.refuse(reason, records)
        self._on_report(report.pending)
        for written, answer in report.appended:
            try:
                if isinstance(answer, Exception):
                    written.fail(answer)
                else:
                    written.settle(answer)
            except Exception as error:  # noqa: BLE001 - the fault of one listener: the others must have their answers
                self._loop.call_exception_handler({"message": "the listener of an append failed", "exception": error})
        for answered in report.answers:
            _answer(answered)
        if self._due:
            self._hand_over()
        elif self._awaited:
            self._await_company()


def _answer(answered: Answered) -> None:
    future, answer = answered
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)
