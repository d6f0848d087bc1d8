from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.limits import REMEMBERED_IDS_AGE_S, REMEMBERED_IDS_PRUNED
from sidecar.outbox.opening import open_database
from sidecar.outbox.remembered import RememberedIds
from sidecar.outbox.rows import digest_of
from sidecar.outbox.schema import Durability

AGE_MS = REMEMBERED_IDS_AGE_S * 1000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path, Durability.MEMORY, 0)
    yield connection
    connection.close()


def see(ids: RememberedIds, first: int, count: int, now_ms: int) -> None:
    ids.prune(now_ms, count)
    ids.remember({digest_of(str(number)): () for number in range(first, first + count)}, now_ms)


def known(ids: RememberedIds, numbers: range) -> int:
    return len(ids.known([digest_of(str(number)) for number in numbers]))


def test_ids_past_the_bound_on_number_are_forgotten_oldest_first(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection, ids_max=100)
    for first in range(0, 500, 50):
        see(ids, first, 50, 0)
    ids.prune(0, 0)
    assert known(ids, range(400)) == 0
    assert known(ids, range(400, 500)) == 100


def test_ids_past_the_bound_on_age_are_forgotten_a_few_at_a_time(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection)
    see(ids, 0, 2 * REMEMBERED_IDS_PRUNED, 0)
    see(ids, 10_000, 1, 5)
    ids.prune(AGE_MS, 0)
    assert known(ids, range(2 * REMEMBERED_IDS_PRUNED)) == 2 * REMEMBERED_IDS_PRUNED
    ids.prune(AGE_MS + 1, 0)
    assert known(ids, range(2 * REMEMBERED_IDS_PRUNED)) == REMEMBERED_IDS_PRUNED
    ids.prune(AGE_MS + 1, 0)
    ids.prune(AGE_MS + 1, 0)
    assert known(ids, range(2 * REMEMBERED_IDS_PRUNED)) == 0
    assert known(ids, range(10_000, 10_001)) == 1


def test_a_clock_that_steps_back_forgets_nothing_young(connection: sqlite3.Connection) -> None:
    ids = RememberedIds(connection)
    see(ids, 0, 10, AGE_MS)
    see(ids, 10, 10, 0)
    ids.prune(AGE_MS + 1, 0)
    assert known(ids, range(20)) == 20


def test_loading_again_goes_on_where_the_table_ends(connection: sqlite3.Connection) -> None:
    see(RememberedIds(connection), 0, 10, 0)
    ids = RememberedIds(connection, ids_max=10)
    ids.load()
    see(ids, 10, 5, 0)
    ids.prune(0, 0)
    assert known(ids, range(5)) == 0
    assert known(ids, range(5, 15)) == 10
