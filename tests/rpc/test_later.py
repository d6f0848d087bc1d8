"""A reply that waits for a commit, as any wire may wait for it."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from sidecar.errors import OutboxUnwritable
from sidecar.ports import Entries, Written
from sidecar.rpc.methods import Later


async def test_it_is_awaited_as_what_is_made_of_the_entries() -> None:
    written = Written()
    waiting = asyncio.ensure_future(_awaited(Later(written, lambda entries: b"%d" % len(entries))))
    await asyncio.sleep(0)
    written.settle([None, None])
    assert await waiting == b"2"


async def test_what_failed_is_raised() -> None:
    written = Written()
    waiting = asyncio.ensure_future(_awaited(Later(written, _nothing)))
    await asyncio.sleep(0)
    written.fail(OutboxUnwritable("the disk is gone", retry_after_s=1.0))
    with pytest.raises(OutboxUnwritable, match="the disk is gone"):
        await waiting


async def test_a_caller_who_gives_up_leaves_what_happens_to_happen_and_to_be_counted() -> None:
    made: list[int] = []
    written = Written()

    def make(entries: Entries) -> bytes:
        made.append(len(entries))
        return b""

    waiting = asyncio.ensure_future(_awaited(Later(written, make)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not made
    written.settle([None])
    assert made == [1]


async def test_a_failure_that_nobody_waits_for_is_said_to_nobody() -> None:
    made: list[int] = []
    written = Written()

    def make(entries: Entries) -> bytes:
        made.append(len(entries))
        return b""

    waiting = asyncio.ensure_future(_awaited(Later(written, make)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    written.fail(OutboxUnwritable("the disk is gone", retry_after_s=1.0))
    assert not made


async def test_who_comes_late_is_told_at_once() -> None:
    written = Written()
    written.settle([None])
    told: list[bool] = []
    written.then(lambda: told.append(True))
    assert told == [True]
    assert await Later(written, _nothing) == b""


async def _awaited(later: Later) -> bytes:
    return await later


def _nothing(_entries: Entries) -> bytes:
    return b""


def test_a_listener_that_knows_it_is_freed_with_it() -> None:
    """A cycle for each event would wake the garbage collector every few hundred."""

    class Knowing:
        def __init__(self, written: Written) -> None:
            self.written = written
            written.then(self.told)

        def told(self) -> None:
            self.done = True

    gc.disable()
    try:
        settled, failed = Knowing(Written()), Knowing(Written())
        seen = weakref.ref(settled), weakref.ref(failed)
        settled.written.settle([None])
        failed.written.fail(OutboxUnwritable("the disk is gone", retry_after_s=1.0))
        assert settled.done
        assert failed.done
        del settled, failed
        assert [one() for one in seen] == [None, None]
    finally:
        gc.enable()
