"""Damage that is met while the process runs: it is refused, salvaged in place, and the queue goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sidecar.errors import OutboxUnwritable
from sidecar.outbox import FILE_NAME, SqliteOutbox, opening, store
from sidecar.outbox.schema import PAGE_BYTES
from sidecar.ports import Settled
from tests.outbox.conftest import Opens
from tests.outbox.records import TurnedClock, bodies, cursors, deliver, record, sql

BOTH = (("a", 1), ("b", 1))


async def checkpointed(outbox: SqliteOutbox) -> None:
    """All is in the file, and SQLite has nothing of it in its cache."""
    await sql(outbox, "PRAGMA wal_checkpoint(TRUNCATE)")
    await sql(outbox, "PRAGMA shrink_memory")


async def damage(outbox: SqliteOutbox, path: Path, table: str) -> None:
    """Zero the root page of a table under the running process."""
    ((root, _),) = [row for row in await sql(outbox, "SELECT rootpage, name FROM sqlite_master") if row[1] == table]
    await checkpointed(outbox)
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE_BYTES)
        file.write(b"\x00" * PAGE_BYTES)
    await sql(outbox, "PRAGMA shrink_memory")
    # SQLite looks at the file again only when another connection has changed it.
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    other.close()


async def test_events_are_refused_until_the_salvage_and_taken_after_it(
    opened: Opens, tmp_path: Path, clock: TurnedClock
) -> None:
    outbox = await opened()
    for number in range(50):
        await outbox.append(record(b"%d" % number, routes=BOTH))
    await damage(outbox, tmp_path / FILE_NAME, "remembered_ids")
    with pytest.raises(OutboxUnwritable, match="malformed"):
        await outbox.append(record(b"refused", ids=("id",), routes=BOTH))
    await outbox.append(record(b"after", ids=("id",), routes=BOTH))
    assert outbox.writable
    assert outbox.stats.salvages == 1
    assert await bodies(outbox, "b") == [*(b"%d" % number for number in range(50)), b"after"]
    assert all(one.conserved for one in await outbox.counts())
    assert (tmp_path / f"{FILE_NAME}.damaged-{clock.now_ms()}").exists()


async def test_a_batch_in_flight_is_settled_after_its_file_was_salvaged(opened: Opens, tmp_path: Path) -> None:
    outbox = await opened()
    for number in range(20):
        await outbox.append(record(b"%d" % number, routes=BOTH))
    await deliver(outbox, "a", 5)
    in_flight = cursors(await outbox.read("a", None, 5))
    await damage(outbox, tmp_path / FILE_NAME, "cursors")
    with pytest.raises(OutboxUnwritable):
        await outbox.settle("a", [Settled(cursor) for cursor in in_flight])
    await outbox.settle("a", [Settled(cursor) for cursor in in_flight])
    assert await bodies(outbox, "a") == [b"%d" % number for number in range(10, 20)]
    assert all(one.conserved for one in await outbox.counts())


async def test_waiting_events_that_are_not_there_are_counted_as_lost(opened: Opens, clock: TurnedClock) -> None:
    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH))
    await sql(outbox, "DELETE FROM records")
    assert await bodies(outbox, "a") == []
    await outbox.position()
    assert outbox.pending("a") == outbox.pending("b") == 0
    counts = await outbox.counts()
    assert [one.dropped for one in counts] == [{"DAMAGED": 1}, {"DAMAGED": 1}]
    assert all(one.conserved for one in counts)


async def test_a_salvage_that_fails_leaves_the_damaged_file_where_it_is(
    opened: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH))
    monkeypatch.setattr(store, "replace", full)
    await damage(outbox, tmp_path / FILE_NAME, "remembered_ids")
    for _ in range(3):
        with pytest.raises(OutboxUnwritable):
            await outbox.append(record(b"refused", ids=("id",)))
    assert outbox.stats.salvages == 0
    await outbox.close()
    monkeypatch.undo()
    again = await opened()
    assert await bodies(again) == [b"1"]
    assert again.stats.salvages == 1


@pytest.mark.parametrize("killed_after", ["nothing", "main", "companions"])
async def test_a_kill_between_the_steps_of_a_salvage_is_gone_on_from(
    opened: Opens, tmp_path: Path, clock: TurnedClock, killed_after: str
) -> None:
    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH))
    await outbox.close()
    path = tmp_path / FILE_NAME
    successor = opening._successor(path)
    if killed_after == "nothing":
        successor.write_bytes(b"half a file")
    else:
        # The damaged file is aside, the whole successor not in its place; a WAL of the damaged one may be left.
        path.rename(successor)
        (tmp_path / f"{FILE_NAME}.damaged-1").write_bytes(b"damaged")
        if killed_after == "main":
            path.with_name(f"{FILE_NAME}-wal").write_bytes(b"the log of the damaged file")
    again = await opened()
    assert await bodies(again) == [b"1"]
