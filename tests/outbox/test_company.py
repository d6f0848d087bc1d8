"""When awaited records share a commit: those who wait at once do, one caller after another is never held up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox, writer
from sidecar.ports import Record

NEVER_S = 20.0
RECORD = Record(b"body", None, (("a", 1),), 1, 1_700_000_000_000)


class StillClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture
async def outbox(tmp_path: Path) -> SqliteOutbox:
    return await SqliteOutbox.open(
        tmp_path, durability=Durability.PROCESS, destinations={"a": DestinationBounds()}, clock=StillClock()
    )


async def test_as_many_as_waited_at_once_before_share_a_commit(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "COMPANY_S", NEVER_S)
    await asyncio.gather(*(outbox.append(RECORD) for _ in range(5)))
    before = outbox.stats.commits
    waiting = []
    for _ in range(5):
        waiting.append(asyncio.ensure_future(outbox.append(RECORD)))
        for _ in range(20):
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert outbox.stats.commits == before + 1
    await outbox.close()


async def test_a_listener_that_fails_costs_nobody_else_the_answer(outbox: SqliteOutbox) -> None:
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: said.append(context["exception"]))
    fault = KeyError("a bug")

    def fail() -> None:
        raise fault

    appended = [outbox.append(RECORD) for _ in range(3)]
    appended[1].then(fail)
    async with asyncio.timeout(NEVER_S):
        assert [list(await appended[at]) for at in (0, 2)] == [[None], [None]]
        # And what is appended next is written, too.
        assert list(await outbox.append(RECORD)) == [None]
    assert said == [fault]
    await outbox.close()


async def test_one_caller_after_another_is_not_held_up(outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "COMPANY_S", NEVER_S)
    async with asyncio.timeout(NEVER_S / 2):
        for _ in range(20):
            await outbox.append(RECORD)
    await outbox.close()


async def test_a_command_takes_along_what_waits_for_company(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "COMPANY_S", NEVER_S)
    await asyncio.gather(*(outbox.append(RECORD) for _ in range(5)))
    lonely = asyncio.ensure_future(outbox.append(RECORD))
    await asyncio.sleep(0)
    async with asyncio.timeout(NEVER_S / 2):
        assert (await outbox.counts())[0].accepted == 6
        await lonely
    await outbox.close()


async def test_whoever_waits_for_company_that_never_comes_is_answered(outbox: SqliteOutbox) -> None:
    await asyncio.gather(*(outbox.append(RECORD) for _ in range(5)))
    async with asyncio.timeout(5.0):
        assert await outbox.append(RECORD) == (None,)
    await outbox.close()
