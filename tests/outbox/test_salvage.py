"""Damaged files: the process serves, what can be read is saved, and the rest is counted as lost.

`SALVAGE_SEEDS=2000` runs the long form of the random damages.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.errors import OutboxUnwritable
from sidecar.limits import REMEMBERED_IDS_GENERATION
from sidecar.outbox import FILE_NAME, DestinationBounds, Durability, SqliteOutbox, writer
from sidecar.outbox.rows import digest_of
from sidecar.outbox.schema import PAGE_BYTES
from sidecar.outbox.store import Store
from sidecar.ports import DestinationCounts, EncodedFacts
from sidecar.values import Outcome, OutcomeState
from tests.outbox.conftest import Opens
from tests.outbox.records import TurnedClock, bodies, deliver, kill, record, sql

SEEDS = int(os.environ.get("SALVAGE_SEEDS", "60"))
BOTH = (("a", 1), ("b", 1))
FACTS = EncodedFacts("revision-1", b"facts")
RECORDS = 400
DELIVERED_TO_A, DEAD_OF_A = 100, 20


async def fill(outbox: SqliteOutbox) -> None:
    """Many pages of everything: what `a` got, its dead letters, ids, facts, and what both have pending."""
    for number in range(RECORDS):
        body = b"%d:" % number + b"x" * (6_000 if number % 50 == 0 else 200)
        assert outbox.offer(record(body, routes=BOTH, facts=FACTS))
    await outbox.append(record(b"named", routes=BOTH, facts=FACTS, ids=("id",)))
    await deliver(outbox, events_max=DELIVERED_TO_A)
    await kill(outbox, events_max=DEAD_OF_A)


async def counts(outbox: SqliteOutbox) -> dict[str, DestinationCounts]:
    found = {one.destination: one for one in await outbox.counts()}
    assert all(one.conserved for one in found.values()), found
    return found


def numbers(found: list[bytes]) -> list[int]:
    return [int(body.partition(b":")[0]) for body in found if body != b"named"]


@pytest.fixture
async def filled(opened: Opens, tmp_path: Path) -> bytes:
    """The bytes of a closed file, of some forty pages."""
    outbox = await opened()
    await fill(outbox)
    await outbox.close()
    return (tmp_path / FILE_NAME).read_bytes()


def pages_of(path: Path, table: str) -> list[int]:
    """Where the leaves of a table stand, and its root first."""
    connection = sqlite3.connect(path)
    try:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    finally:
        connection.close()
    raw = path.read_bytes()
    page = raw[(root - 1) * PAGE_BYTES : root * PAGE_BYTES]
    if page[0] != 0x05:
        return [root]
    cells = int.from_bytes(page[3:5], "big")
    starts = [int.from_bytes(page[12 + 2 * at : 14 + 2 * at], "big") for at in range(cells)]
    return [root, *(int.from_bytes(page[start : start + 4], "big") for start in starts)]


def overwrite(path: Path, page: int, what: bytes = b"\x00" * PAGE_BYTES) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(what)


async def test_what_can_be_read_around_a_damaged_page_is_saved_and_the_rest_is_counted_as_lost(
    opened: Opens, filled: bytes, tmp_path: Path, clock: TurnedClock
) -> None:
    path = tmp_path / FILE_NAME
    _, *leaves = pages_of(path, "records")
    overwrite(path, leaves[len(leaves) // 2])
    damaged = path.read_bytes()

    again = await opened()

    found = await counts(again)
    assert (tmp_path / f"{FILE_NAME}.damaged-{clock.now_ms()}").read_bytes() == damaged
    assert again.stats.salvages == 1
    lost = found["b"].dropped["DAMAGED"]
    assert 0 < lost < 40
    assert len(await bodies(again, "b")) == found["b"].pending == RECORDS + 1 - lost
    assert found["a"].delivered == DELIVERED_TO_A
    assert found["a"].dead == DEAD_OF_A
    assert numbers(await bodies(again, "b")) == sorted(numbers(await bodies(again, "b")))
    assert {one.facts for one in await again.read("a", None, 1000)} == {FACTS}


async def test_a_salvaged_outbox_takes_delivers_and_remembers_as_before(
    opened: Opens, filled: bytes, tmp_path: Path
) -> None:
    path = tmp_path / FILE_NAME
    overwrite(path, pages_of(path, "records")[5])
    again = await opened()

    (repeated,) = await again.append(record(b"named", routes=BOTH, ids=("id",)))
    await again.append(record(b"fresh", routes=BOTH))
    for name in ("a", "b"):
        while await deliver(again, name):
            pass
    assert await again.requeue("a", None) == DEAD_OF_A
    assert await deliver(again) == DEAD_OF_A

    assert repeated is not None
    found = await counts(again)
    assert [one.pending + one.dead for one in found.values()] == [0, 0]
    assert await sql(again, "SELECT * FROM records") == []


async def test_sealed_and_young_ids_are_saved_but_for_those_whose_outcomes_cannot_be_read(
    opened: Opens, tmp_path: Path
) -> None:
    outbox = await opened()
    ids = tuple(f"id-{number}" for number in range(2 * REMEMBERED_IDS_GENERATION))
    for start in range(0, len(ids), 400):
        some = ids[start : start + 400]
        await outbox.append(record(b"%d" % start, routes=(("a", (1 << len(some)) - 1),), events=len(some), ids=some))
    await sql(outbox, "UPDATE remembered_ids SET outcomes = 'torn' WHERE seen_id = 1")
    (((generations,),), ((unreadable,),)) = (
        await sql(outbox, "SELECT count(*) FROM remembered_generations"),
        await sql(outbox, "SELECT length(digests) / 16 FROM remembered_ids WHERE seen_id = 1"),
    )
    await outbox.close()
    overwrite(tmp_path / FILE_NAME, pages_of(tmp_path / FILE_NAME, "meta")[0])

    again = await opened()

    def repeats(store: Store) -> list[object]:
        found = store._remembered.known([digest_of(event_id) for event_id in ids])
        return [found.get(digest_of(event_id)) for event_id in ids]

    found = await again._read(repeats)
    wanted = [(Outcome("a", OutcomeState.QUEUED, str(at // 400 * 400)),) for at in range(len(ids))]
    assert generations == 1
    assert found.count(None) == unreadable > 0
    assert all(got in (None, one) for got, one in zip(found, wanted, strict=True))


async def test_records_are_found_below_a_root_page_that_is_gone(opened: Opens, filled: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    overwrite(path, pages_of(path, "records")[0])

    again = await opened()

    assert (await counts(again))["b"].dropped == {}
    assert len(await bodies(again, "b")) == RECORDS + 1


@pytest.mark.parametrize("first", [b"\x00" * PAGE_BYTES, b"\xa5" * 100, b"SQLite format 3\x00\x20"])
async def test_nothing_is_lost_with_the_first_page(opened: Opens, filled: bytes, tmp_path: Path, first: bytes) -> None:
    overwrite(tmp_path / FILE_NAME, 1, first)

    again = await opened()

    found = await counts(again)
    assert (found["a"].delivered, found["a"].dead) == (DELIVERED_TO_A, DEAD_OF_A)
    assert (found["a"].dropped, found["b"].dropped) == ({}, {})
    assert len(await bodies(again, "b")) == RECORDS + 1


async def test_counters_that_are_gone_begin_with_what_was_saved(opened: Opens, filled: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    for page in pages_of(path, "counters"):
        overwrite(path, page)

    found = await counts(await opened())

    assert (found["b"].accepted, found["b"].pending, found["b"].delivered) == (RECORDS + 1, RECORDS + 1, 0)
    pending = RECORDS + 1 - DELIVERED_TO_A - DEAD_OF_A
    assert (found["a"].accepted, found["a"].pending, found["a"].dead) == (pending + DEAD_OF_A, pending, DEAD_OF_A)


async def test_a_cursor_that_is_gone_delivers_again_and_never_less(
    opened: Opens, filled: bytes, tmp_path: Path
) -> None:
    path = tmp_path / FILE_NAME
    for page in pages_of(path, "cursors"):
        overwrite(path, page)

    again = await opened()

    found = await counts(again)
    # All that `b` waits for is kept, and so is what `a` had got of it.
    assert numbers(await bodies(again, "a")) == list(range(RECORDS))
    assert found["a"].accepted == RECORDS + 1 + DEAD_OF_A


async def test_counts_that_do_not_add_up_are_damage(opened: Opens, filled: bytes, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("UPDATE counters SET value = value + 7 WHERE name = 'accepted'")
    connection.commit()
    connection.close()

    found = await counts(await opened())

    assert [one.dropped for one in found.values()] == [{"DAMAGED": 7}, {"DAMAGED": 7}]


async def test_another_application_s_database_is_left_alone_and_a_fresh_outbox_made(
    opened: Opens, tmp_path: Path, clock: TurnedClock
) -> None:
    path = tmp_path / FILE_NAME
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.execute("INSERT INTO other VALUES (1)")
    connection.commit()
    connection.close()
    foreign = path.read_bytes()

    again = await opened()

    assert (tmp_path / f"{FILE_NAME}.damaged-{clock.now_ms()}").read_bytes() == foreign
    await again.append(record(b"fresh"))
    assert await bodies(again) == [b"fresh"]


# --- any damage -------------------------------------------------------------------------------------------


def truncated(rng: random.Random, path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(rng.randrange(path.stat().st_size))


def zeroed(rng: random.Random, path: Path) -> None:
    for _ in range(rng.randint(1, 4)):
        overwrite(path, rng.randint(1, path.stat().st_size // PAGE_BYTES))


def flipped(rng: random.Random, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 40)):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def flipped_header(rng: random.Random, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 3)):
        raw[rng.randrange(100)] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def flipped_log(rng: random.Random, path: Path) -> None:
    wal = path.with_name(path.name + "-wal")
    raw = bytearray(wal.read_bytes())
    for _ in range(rng.randint(1, 5)):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    wal.write_bytes(raw[: rng.randint(1, len(raw))] if rng.random() < 0.5 else raw)


def garbage(rng: random.Random, path: Path) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(20_000)))


DAMAGES: tuple[Callable[[random.Random, Path], None], ...] = (
    truncated,
    zeroed,
    flipped,
    flipped_header,
    flipped_log,
    garbage,
)


@pytest.fixture
async def killed(tmp_path: Path, clock: TurnedClock) -> Path:
    """A directory as a kill leaves it: a file, and a WAL that is not in it yet."""
    directory, copy = tmp_path / "living", tmp_path / "killed"
    directory.mkdir()
    outbox = await SqliteOutbox.open(
        directory,
        durability=Durability.PROCESS,
        destinations={"a": DestinationBounds(), "b": DestinationBounds()},
        clock=clock,
    )
    await fill(outbox)
    await sql(outbox, "PRAGMA wal_checkpoint(PASSIVE)")
    await outbox.append(record(b"in the log", routes=BOTH))
    copy.mkdir()
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        shutil.copyfile(directory / name, copy / name)
    await outbox.close()
    return copy


@pytest.mark.timeout(60 + SEEDS)
async def test_after_any_damage_it_serves_and_every_count_adds_up(
    killed: Path, tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SALVAGE_INTERVAL_S", 0.0)
    for seed in range(SEEDS):
        rng = random.Random(seed)
        directory = tmp_path / f"seed-{seed}"
        shutil.copytree(killed, directory)
        damage = DAMAGES[seed % len(DAMAGES)]
        damage(rng, directory / FILE_NAME)
        where = f"seed {seed}, {damage.__name__}"
        outbox = await SqliteOutbox.open(
            directory,
            durability=Durability.PROCESS,
            destinations={"a": DestinationBounds(), "b": DestinationBounds()},
            clock=clock,
        )
        try:
            await serves(outbox)
        except Exception as error:
            raise AssertionError(where) from error
        finally:
            await outbox.close()
        shutil.rmtree(directory)


async def serves(outbox: SqliteOutbox) -> None:
    """Whatever was found: counts add up, what is said to wait is read, an event goes in and out."""
    try:
        await outbox.append(record(b"fresh", routes=BOTH))
    except OutboxUnwritable:
        # Damage that only this commit met: it is salvaged now, and the next one succeeds.
        await outbox.append(record(b"fresh", routes=BOTH))
    for name, one in (await counts(outbox)).items():
        assert one.pending == outbox.pending(name)
        delivered = 0
        # What waits and cannot be found shows the damage: it is lost now, and counted so.
        while outbox.pending(name):
            delivered += await deliver(outbox, name)
        assert delivered >= 1
    for name, one in (await counts(outbox)).items():
        assert one.pending == 0
        assert await outbox.purge(name, None) == one.dead
    await counts(outbox)
