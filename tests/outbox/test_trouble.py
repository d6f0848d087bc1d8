"""Disks that refuse, and files that are damaged, foreign or newer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec import structs

from sidecar.errors import OutboxFull, OutboxSchemaNewer, OutboxUnopened, OutboxUnwritable
from sidecar.outbox import FILE_NAME, DestinationBounds, Durability, SqliteOutbox, read_counts
from tests.outbox.conftest import Opens
from tests.outbox.records import TurnedClock, bodies, deliver, fill_disk, record, sql

BOTH = (("a", 1), ("b", 1))


# --- a disk that refuses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", [Durability.MEMORY, Durability.PROCESS])
async def test_a_full_disk_refuses_events_and_recovers_by_itself(opened: Opens, durability: Durability) -> None:
    outbox = await opened(durability)
    await outbox.append(record(b"kept"))
    await fill_disk(outbox)
    large = record(b"x" * 100_000, ids=("id",))
    assert outbox.offer(structs.replace(large, event_ids=()))
    with pytest.raises(OutboxUnwritable, match="full"):
        await outbox.append(large)
    assert not outbox.writable
    assert outbox.stats.offered_refused == {"OUTBOX_UNWRITABLE": 1}
    assert await bodies(outbox) == [b"kept"]
    assert (await outbox.counts())[0].accepted == outbox.pending("a") == 1
    await sql(outbox, "PRAGMA max_page_count = 100000")
    assert list(await outbox.append(large)) == [None]
    assert outbox.writable


async def test_a_full_disk_still_settles_when_appends_of_the_same_commit_fail(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1"))
    await fill_disk(outbox)
    read = await outbox.read("a", None, 9)
    settling = asyncio.ensure_future(deliver(outbox))
    appending = asyncio.gather(*(outbox.append(record(b"x" * 100_000)) for _ in range(3)), return_exceptions=True)
    assert {type(error) for error in await appending} == {OutboxUnwritable}
    assert await settling == len(read) == 1
    assert outbox.pending("a") == 0


async def test_a_destination_first_seen_in_a_failed_commit_works_in_the_next(opened: Opens) -> None:
    outbox = await opened(a=DestinationBounds())
    await fill_disk(outbox)
    with pytest.raises(OutboxUnwritable):
        await outbox.append(record(b"x" * 100_000, routes=(("late", 1),)))
    await sql(outbox, "PRAGMA max_page_count = 100000")
    await outbox.append(record(b"y", routes=(("late", 1),)))
    assert await bodies(outbox, "late") == [b"y"]


# --- what is found at open --------------------------------------------------------------------------------


async def test_a_newer_schema_is_refused_and_left_alone(opened: Opens, tmp_path: Path) -> None:
    await (await opened()).close()
    path = tmp_path / FILE_NAME
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema_version'")
    connection.commit()
    connection.close()
    with pytest.raises(OutboxSchemaNewer, match="schema version 99, wanted at most 2"):
        await opened()
    with pytest.raises(OutboxSchemaNewer):
        read_counts(path, TurnedClock())
    assert not list(tmp_path.glob("*damaged*"))


async def test_a_directory_that_is_not_there_is_refused(tmp_path: Path, clock: TurnedClock) -> None:
    with pytest.raises(OutboxUnopened, match="absent"):
        await SqliteOutbox.open(tmp_path / "absent", durability=Durability.PROCESS, destinations={}, clock=clock)


async def test_a_full_answer_says_the_largest_bound(opened: Opens) -> None:
    outbox = await opened(a=DestinationBounds(bytes_max=10), b=DestinationBounds(bytes_max=20))
    with pytest.raises(OutboxFull) as refused:
        await outbox.append(record(b"x", routes=BOTH))
    assert refused.value.limit_bytes == 20
    assert refused.value.retry_after_s > 0
