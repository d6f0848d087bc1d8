from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from sidecar.limits import REMEMBERED_IDS_AGE_S, REMEMBERED_IDS_GENERATION, REMEMBERED_IDS_GENERATION_AGE_S
from sidecar.outbox.opening import open_database
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import digest_of
from sidecar.outbox.schema import Durability
from sidecar.values import Outcome, OutcomeState

AGE_MS = REMEMBERED_IDS_AGE_S * 1000
HOUR_MS = REMEMBERED_IDS_GENERATION_AGE_S * 1000
QUEUED = (Outcome("a", OutcomeState.QUEUED),)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path, Durability.MEMORY, 0)
    yield connection
    connection.close()


def see(ids: RememberedIds, first: int, count: int, now_ms: int) -> None:
    ids.prune(now_ms, count)
    ids.remember({digest_of(str(number)): QUEUED for number in range(first, first + count)}, now_ms)


def known(ids: RememberedIds, numbers: range) -> int:
    return len(ids.known([digest_of(str(number)) for number in numbers]))


def rows(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a table of ours


def test_ids_past_the_bound_on_number_are_forgotten_a_generation_at_a_time(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, ids_max=100, generation_max=20)
    for first in range(0, 500, 10):
        see(ids, first, 10, 0)
    ids.prune(0, 0)
    assert known(ids, range(400)) == 0
    assert known(ids, range(400, 500)) == 100


def test_as_many_as_were_promised_are_always_remembered(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, ids_max=100, generation_max=20)
    for first in range(0, 700, 7):
        see(ids, first, 7, 0)
        assert known(ids, range(max(0, first - 93), first + 7)) == min(100, first + 7)


def test_ids_past_the_bound_on_age_are_forgotten_a_few_generations_at_a_time(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, generation_max=10)
    for first in range(0, 50, 10):
        see(ids, first, 10, 0)
    see(ids, 50, 1, 5)
    ids.prune(AGE_MS, 0)
    assert known(ids, range(50)) == 50
    left = []
    for _ in range(3):
        ids.prune(AGE_MS + 1, 0)
        left.append(known(ids, range(50)))
    assert left == [30, 10, 0]
    assert known(ids, range(50, 51)) == 1


def test_the_few_ids_of_a_quiet_hour_are_forgotten_in_their_time(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection)
    for hour in range(30):
        see(ids, hour, 1, hour * HOUR_MS)
    ids.prune(29 * HOUR_MS + 1, 0)
    assert known(ids, range(6, 30)) == known(ids, range(30)) == 24


def test_a_clock_that_steps_back_forgets_nothing_young(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, generation_max=5)
    see(ids, 0, 10, AGE_MS)
    see(ids, 10, 10, 0)
    ids.prune(AGE_MS, 0)
    assert known(ids, range(10)) == 10


def test_a_clock_that_jumps_to_and_fro_makes_no_more_generations_than_can_be_told_apart(
    connection: sqlite3.Connection,
) -> None:
    ids = RememberedIds(connection)
    for number in range(600):
        see(ids, number, 1, (number % 2) * HOUR_MS)
    assert rows(connection, "remembered_generations") <= 256
    assert known(ids, range(400, 600)) == 200


def test_loading_again_goes_on_where_the_table_ends(connection: sqlite3.Connection) -> None:
    see(RememberedIds(connection, generation_max=4), 0, 10, 0)
    ids = RememberedIds(connection, ids_max=10, generation_max=4)
    assert known(ids, range(10)) == 10
    for first in range(10, 22, 4):
        see(ids, first, 4, 0)
    ids.prune(0, 0)
    assert known(ids, range(8)) == 0
    assert known(ids, range(12, 22)) == 10


def test_transactions_that_fail_while_they_seal_and_forget_leave_nothing_in_the_index(
    connection: sqlite3.Connection,
) -> None:
    ids = RememberedIds(connection, ids_max=50, generation_max=10)
    see(ids, 0, 60, 0)
    for attempt in range(100):
        connection.execute("BEGIN IMMEDIATE")
        see(ids, 1000 + 10 * attempt, 15, 0)
        connection.execute("ROLLBACK")
        ids.expire_mirror()
        assert known(ids, range(60)) == 60
        assert known(ids, range(1000, 2100)) == 0
    for first in range(60, 300, 10):
        see(ids, first, 10, 0)
    assert known(ids, range(250, 300)) == 50
    assert sum(map(len, ids._index._buckets)) // 3 <= 50 + 10 * 10


@pytest.mark.parametrize("column", ["youngest_ms", "digests", "codes", "outcomes"])
def test_a_generation_with_a_column_of_another_type_makes_nothing_fail(
    connection: sqlite3.Connection, column: str
) -> None:
    see(RememberedIds(connection, generation_max=10), 0, 25, 0)
    wrong = "5" if column in ("codes", "outcomes") else "'wrong'"
    connection.execute(f"UPDATE remembered_generations SET {column} = {wrong} WHERE generation_id = 2")  # noqa: S608 - a column of ours
    ids = RememberedIds(connection, ids_max=30, generation_max=10)
    assert (known(ids, range(10)), known(ids, range(10, 20)), known(ids, range(20, 25))) == (10, 0, 5)
    for first in range(30, 80, 10):
        see(ids, first, 10, 0)
    assert known(ids, range(50, 80)) == 30
    assert connection.execute("SELECT min(generation_id) FROM remembered_generations").fetchone()[0] > 2


def test_a_row_is_written_for_the_ids_of_a_commit_and_none_when_they_are_sealed_at_once(
    connection: sqlite3.Connection,
) -> None:
    ids = RememberedIds(connection, generation_max=100)
    see(ids, 0, 99, 0)
    assert (rows(connection, "remembered_ids"), rows(connection, "remembered_generations")) == (1, 0)
    see(ids, 99, 1, 0)
    assert (rows(connection, "remembered_ids"), rows(connection, "remembered_generations")) == (0, 1)
    see(ids, 100, 250, 0)
    assert (rows(connection, "remembered_ids"), rows(connection, "remembered_generations")) == (1, 3)
    assert known(ids, range(350)) == 350


def test_ids_that_count_upwards_are_found_as_well_as_random_ones(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection)
    digests = [digest_of(str(UUID(int=number << shift))) for shift in (0, 64, 96) for number in range(1, 7000)]
    ids.remember(dict.fromkeys(digests, QUEUED), 0)
    assert len(ids.known(digests)) == len(set(digests)) > 2 * REMEMBERED_IDS_GENERATION
    assert ids.known([digest_of(str(UUID(int=number))) for number in range(7000, 8000)]) == {}


def test_outcomes_come_back_whether_all_are_the_same_or_each_is_another(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, generation_max=300)
    said = {
        digest_of(str(number)): (Outcome("a", OutcomeState.SKIPPED, f"REASON: {number % 290}\n"),)
        for number in range(1000)
    }
    ids.remember(said, 0)
    assert ids.known(list(said)) == said
    assert RememberedIds(connection).known(list(said)) == said


@pytest.mark.parametrize("outcomes", ["", "[", "5", '[["a","LOST",""]]', '[[5,"QUEUED",""]]', '[["a"]]', '[{"a":1}]'])
def test_an_id_whose_outcomes_cannot_be_read_counts_as_new_and_is_said_once(
    connection: sqlite3.Connection, outcomes: str
) -> None:
    see(RememberedIds(connection, generation_max=10), 0, 15, 0)
    connection.execute("UPDATE remembered_generations SET outcomes = ?", (outcomes,))
    with capture_logs() as logs:
        ids = RememberedIds(connection, generation_max=10)
        assert (known(ids, range(10)), known(ids, range(10, 15))) == (0, 5)
        see(ids, 0, 1, 0)
    assert known(ids, range(1)) == 1
    assert [(one["event"], one["generation"]) for one in logs] == [("remembered_ids_unreadable", 1)]
