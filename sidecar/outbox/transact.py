"""One batch on the writer's thread: records and writing commands in one transaction, then reading ones.

When the transaction fails, nothing of the batch was accepted; its writing commands are tried once more
without its records, because settling makes room on a full disk. Every waiting caller gets an answer or an
error, always.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import structlog

from sidecar.errors import OutboxFull, OutboxUnwritable
from sidecar.limits import OUTBOX_RETRY_AFTER_S
from sidecar.outbox.intake import Answer
from sidecar.outbox.joining import Bundle, Group
from sidecar.outbox.store import Store
from sidecar.ports import Entries, Written

OUTBOX_FULL = "OUTBOX_FULL"
OUTBOX_UNWRITABLE = "OUTBOX_UNWRITABLE"

Answered: TypeAlias = tuple[asyncio.Future[Any], Any]
"""A waiting caller and its answer; an exception is raised there."""
Told: TypeAlias = tuple[Written, Entries | Exception]
"""The same for what was appended."""


class Command(NamedTuple):
    """Anything else that the store does for somebody who waits."""

    act: Callable[[Store], Any]
    writes: bool
    answered: asyncio.Future[Any]


class Batch(NamedTuple):
    """What was gathered for one commit, in the order given."""

    items: Sequence[Bundle | Group | Command]


@dataclass(slots=True)
class Report:
    """What came of a batch. `writable` is None when it wrote nothing, `cause` why it is false.

    `refused` counts offered records by reason. `appended` are the answers of appends, `answers` those of commands.
    """

    pending: dict[str, int] = field(default_factory=dict)
    answers: list[Answered] = field(default_factory=list)
    appended: list[Told] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    offered_bytes: int = 0
    appended_bytes: int = 0
    commits: int = 0
    commit_seconds: float = 0.0
    writable: bool | None = None
    cause: str = ""


class _Work(NamedTuple):
    arrivals: list[Bundle | Group]
    writes: list[Command]
    reads: list[Command]


def transact(store: Store, batch: Batch) -> Report:
    """Do all of a batch. Raises nothing."""
    report = Report()
    work = _Work([], [], [])
    for item in batch.items:
        if isinstance(item, Command):
            (work.writes if item.writes else work.reads).append(item)
            continue
        work.arrivals.append(item)
        report.appended_bytes += item.appended_bytes
        if isinstance(item, Bundle):
            report.offered_bytes += item.offered_bytes
    if work.arrivals or work.writes:
        _write(store, work, report)
    for command in work.reads:
        report.answers.append((command.answered, _attempt(command, store)))
    report.pending = store.pending()
    return report


def _write(store: Store, work: _Work, report: Report) -> None:
    started_s = time.perf_counter()
    try:
        taken, written = store.transaction(lambda: _change(store, work.arrivals, work.writes))
    except Exception as cause:  # noqa: BLE001 - each caller that waits gets it
        store.notice(cause)
        _refuse(work.arrivals, cause, report)
        _write_again(store, work, cause, report)
        return
    report.commits, report.writable = 1, True
    report.commit_seconds = time.perf_counter() - started_s
    for item, answers in zip(work.arrivals, taken, strict=True):
        _tell(item, answers, report)
    report.answers += zip((command.answered for command in work.writes), written, strict=True)
    if work.writes:
        store.give_back()


def _change(
    store: Store, arrivals: Sequence[Bundle | Group], writes: Sequence[Command]
) -> tuple[list[Sequence[Answer]], list[Any]]:
    # Why first: what leaves makes room for what comes.
    written = [_attempt(command, store) for command in writes]
    return store.take(arrivals) if arrivals else [], written


def _tell(item: Bundle | Group, answers: Sequence[Answer], report: Report) -> None:
    """Note who is answered what, and count the offers that were refused."""
    if isinstance(item, Group):
        report.appended.append((item.written, answers[0]))
        return
    waiting = item.waiting
    report.appended += [(written, answers[place]) for place, written in waiting]
    if len(waiting) < len(answers):
        full = sum(isinstance(answer, OutboxFull) for answer in answers)
        full -= sum(isinstance(answers[place], OutboxFull) for place, _ in waiting)
        if full:
            report.refused[OUTBOX_FULL] = report.refused.get(OUTBOX_FULL, 0) + full


def _attempt(command: Command, store: Store) -> Any:  # noqa: ANN401 - the command's own answer
    """The answer of a command, or its error.

    A write may refuse with `ValueError`, having changed nothing; any other error of it ends the transaction.
    """
    try:
        return command.act(store)
    except ValueError as cause:
        return cause
    except Exception as cause:
        if command.writes:
            raise
        store.notice(cause)
        return _unwritable(cause) if isinstance(cause, sqlite3.Error) or store.damage else cause


def _refuse(arrivals: Sequence[Bundle | Group], cause: Exception, report: Report) -> None:
    report.writable, report.cause = False, str(cause)
    if not isinstance(cause, sqlite3.Error):
        structlog.get_logger().error("outbox_failed", exc_info=cause)
    for item in arrivals:
        if isinstance(item, Group):
            report.appended.append((item.written, _unwritable(cause)))
            continue
        report.appended += [(written, _unwritable(cause)) for _, written in item.waiting]
        offered = len(item.records) - len(item.waiting)
        if offered:
            report.refused[OUTBOX_UNWRITABLE] = report.refused.get(OUTBOX_UNWRITABLE, 0) + offered


def _write_again(store: Store, work: _Work, cause: Exception, report: Report) -> None:
    if not work.writes:
        return
    if work.arrivals:
        try:
            _, written = store.transaction(lambda: _change(store, (), work.writes))
        except Exception as again:  # noqa: BLE001 - each caller that waits gets it
            cause = again
        else:
            report.commits = 1
            report.answers += zip((command.answered for command in work.writes), written, strict=True)
            return
    report.answers += [(command.answered, _unwritable(cause)) for command in work.writes]


def _unwritable(cause: Exception) -> OutboxUnwritable:
    return OutboxUnwritable(str(cause) or type(cause).__name__, retry_after_s=OUTBOX_RETRY_AFTER_S)
