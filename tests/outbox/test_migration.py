"""Files that an older release wrote are taken over, in one transaction; those of a newer one are refused."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

import pytest

from sidecar.limits import REMEMBERED_IDS_GENERATION
from sidecar.outbox import FILE_NAME, SqliteOutbox, read_counts, read_dead_letters
from sidecar.outbox.opening import open_database
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import Target, digest_of, pack_routes
from sidecar.outbox.schema import SCHEMA_VERSION, Durability
from tests.outbox.conftest import Opens
from tests.outbox.records import NOW_MS, QUEUED_A, TurnedClock, bodies, deliver, record, sql
from tests.support.daemon import Daemon

VERSION_1 = """
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE destinations (destination_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE facts (
    facts_id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    records INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE records (
    record_id INTEGER PRIMARY KEY AUTOINCREMENT,
    facts_id INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    requeued_ms INTEGER,
    event_count INTEGER NOT NULL,
    routes BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE cursors (
    destination_id INTEGER PRIMARY KEY, record_id INTEGER NOT NULL, event_index INTEGER NOT NULL
);
CREATE TABLE counters (
    destination_id INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (destination_id, name, reason)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    dead_id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    event_index INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    status INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    died_ms INTEGER NOT NULL
);
CREATE INDEX dead_letters_of_destination ON dead_letters (destination_id, dead_id);
CREATE INDEX dead_letters_of_record ON dead_letters (record_id);
CREATE TABLE remembered_ids (
    seen_id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, seen_ms INTEGER NOT NULL, outcomes TEXT NOT NULL
);
INSERT INTO meta VALUES ('schema_version', 1);
"""
"""As the first release made it."""

EVENT_ID = "0e8a1b5c-5a4e-4d7b-9a6c-2b1f3f6a7d11"

KILLED_WHILE_MIGRATING = """
import os, signal, sys
from pathlib import Path
from sidecar.outbox import Durability, migration, opening, schema
connect = schema.connect
def mortal(*given, **named):
    connection = connect(*given, **named)
    connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return connection
opening.connect = mortal
migration.STEPS = {1: (*migration.STEPS[1], "INSERT INTO meta VALUES ('half', 1)", "SELECT die()")}
opening.open_database(Path(sys.argv[1]), Durability.POWER, 0)
"""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A file of version 1: `a` got one event, has one dead letter and two that wait."""
    path = tmp_path / FILE_NAME
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(VERSION_1)
    connection.execute("INSERT INTO destinations VALUES (1, 'a'), (2, 'b')")
    routes = pack_routes([Target(1, 1, 1)])
    for number in (2, 3, 4):
        connection.execute(
            "INSERT INTO records VALUES (?, 0, ?, NULL, 1, ?, ?)", (number, NOW_MS, routes, b"%d" % number)
        )
    connection.execute("INSERT INTO dead_letters VALUES (1, 1, 2, 0, 'REFUSED', 'said no', 400, 33, ?)", (NOW_MS,))
    connection.execute("INSERT INTO cursors VALUES (1, 2, 0), (2, 4, 2147483648)")
    connection.execute(
        "INSERT INTO counters VALUES (1, 'accepted', '', 4), (1, 'delivered', '', 1), (1, 'pending', '', 2),"
        " (1, 'pending_bytes', '', 66), (1, 'dead', '', 1), (1, 'dead_bytes', '', 33)"
    )
    for seen_id, event_id in enumerate((EVENT_ID, "order-7"), 1):
        digest = UUID(event_id).bytes if event_id == EVENT_ID else blake2b(event_id.encode(), digest_size=16).digest()
        connection.execute("INSERT INTO remembered_ids VALUES (?, ?, ?, ?)", (seen_id, digest, NOW_MS, '["a"]'))
    connection.execute("INSERT INTO remembered_ids VALUES (3, ?, ?, 'torn')", (bytes(16), NOW_MS))
    connection.execute("COMMIT")
    connection.close()
    return path


async def test_a_file_of_the_first_release_is_taken_over_with_all_that_it_holds(opened: Opens, first: Path) -> None:
    outbox = await opened()
    assert await sql(outbox, "SELECT value FROM meta") == [(SCHEMA_VERSION,)]
    assert await bodies(outbox) == [b"3", b"4"]
    (letter,) = await outbox.dead_letters("a", 0, 10)
    assert (letter.record.body, letter.reason, letter.attempts) == (b"2", "REFUSED", 0)
    counts = {one.destination: one for one in await outbox.counts()}
    assert (counts["a"].accepted, counts["a"].delivered, counts["a"].conserved) == (4, 1, True)
    assert not list(first.parent.glob("*damaged*"))
    assert await outbox.requeue("a", None) == 1
    assert await deliver(outbox) == 3


async def repeats(outbox: SqliteOutbox) -> list[object]:
    ids = (EVENT_ID, "order-7", str(UUID(int=0)))
    return [(await outbox.append(record(b"x", ids=(event_id,))))[0] for event_id in ids]


async def test_ids_that_the_first_release_remembered_are_remembered(opened: Opens, first: Path) -> None:
    assert await repeats(await opened()) == [QUEUED_A, QUEUED_A, None]


def test_as_many_ids_as_the_first_release_could_remember_are_carried_over_in_order(first: Path) -> None:
    count = 2 * REMEMBERED_IDS_GENERATION + 100
    connection = sqlite3.connect(first)
    connection.executemany(
        "INSERT INTO remembered_ids VALUES (?, ?, ?, ?)",
        ((10 + number, UUID(int=number).bytes, NOW_MS + number, '["a"]') for number in range(1, count)),
    )
    connection.commit()
    connection.close()
    with closing(open_database(first.parent, Durability.PROCESS, NOW_MS)) as connection:
        ids = RememberedIds(connection)
        digests = [digest_of(str(UUID(int=number))) for number in range(1, count)]
        assert ids.known(digests) == dict.fromkeys(digests, QUEUED_A)


def test_a_migrated_file_has_its_tables_where_a_new_one_has_them(first: Path, tmp_path: Path) -> None:
    """`salvage_source` puts the first page of a new file before the others of a damaged one."""
    (tmp_path / "new").mkdir()
    places = "SELECT name, rootpage FROM sqlite_master WHERE rootpage ORDER BY name"
    with (
        closing(open_database(first.parent, Durability.PROCESS, NOW_MS)) as migrated,
        closing(open_database(tmp_path / "new", Durability.PROCESS, NOW_MS)) as new,
    ):
        assert migrated.execute(places).fetchall() == new.execute(places).fetchall()


async def test_a_kill_in_the_middle_of_a_migration_leaves_the_older_file_and_the_next_start_migrates_it(
    opened: Opens, first: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", KILLED_WHILE_MIGRATING, str(first.parent)]
    killed = await asyncio.to_thread(subprocess.run, command, env=environment, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    connection = sqlite3.connect(first)
    assert connection.execute("SELECT key, value FROM meta").fetchall() == [("schema_version", 1)]
    assert len(connection.execute("PRAGMA table_info(dead_letters)").fetchall()) == 9
    connection.close()

    outbox = await opened()

    assert await sql(outbox, "SELECT value FROM meta") == [(SCHEMA_VERSION,)]
    assert await bodies(outbox) == [b"3", b"4"]


def test_an_older_file_can_be_looked_at_without_being_changed(first: Path) -> None:
    before = first.read_bytes()
    (letter,) = read_dead_letters(first, TurnedClock(), "a", 10)
    assert (letter.detail, letter.attempts) == ("said no", 0)
    assert {one.destination for one in read_counts(first, TurnedClock())} == {"a", "b"}
    assert first.read_bytes() == before


async def test_a_damaged_file_of_the_first_release_is_salvaged(opened: Opens, first: Path) -> None:
    with first.open("r+b") as file:
        file.write(b"\x00" * 4096)
    outbox = await opened()
    assert await bodies(outbox) == [b"3", b"4"]
    (letter,) = await outbox.dead_letters("a", 0, 10)
    assert letter.record.body == b"2"
    assert await repeats(outbox) == [QUEUED_A, QUEUED_A, None]
    assert all(one.conserved for one in await outbox.counts())


def test_the_daemon_does_not_start_on_a_newer_file_and_says_why(first: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(first)
    connection.execute("UPDATE meta SET value = 99")
    connection.commit()
    connection.close()
    before = first.read_bytes()
    with Daemon(tmp_path / "daemon", {"data_dir": str(first.parent)}) as daemon:
        assert daemon.spawn().wait() == 1
    said = [line for line in daemon.lines if "schema version" in line]
    assert len(said) == 1, daemon.log
    assert f"has schema version 99, wanted at most {SCHEMA_VERSION}: it was written by a newer release" in said[0]
    assert first.read_bytes() == before
