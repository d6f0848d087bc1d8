"""What every store of profiles does, whichever it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.config import Secret
from sidecar.ports import ProfileStore
from sidecar.profiles.file import ProfileFile
from sidecar.profiles.memory import MemoryProfiles
from sidecar.profiles.sqlite import SqliteProfiles

USERS = 200


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProfileStore]:
    one: ProfileStore
    if request.param == "memory":
        one = MemoryProfiles(users_max=10_000)
        yield one
    elif request.param == "sqlite":
        file = await ProfileFile.open(tmp_path)
        one = SqliteProfiles(file, entries_max=10_000)
        yield one
        await file.close()
    else:
        server = request.getfixturevalue("shared_redis")
        from sidecar.profiles.redis import RedisProfiles

        one = RedisProfiles(Secret(server.url), prefix=f"{uuid4()}:", ttl_s=None)
        yield one
    await one.close()
    await one.close()


async def test_user_who_was_never_saved_has_an_empty_profile(store: ProfileStore) -> None:
    assert await store.lookup("p", "u") == {}


async def test_saved_profile_is_found(store: ProfileStore) -> None:
    await store.save("p", "u", {"e1": "v1", "e2": "v2"})
    assert await store.lookup("p", "u") == {"e1": "v1", "e2": "v2"}


async def test_save_merges_and_the_last_one_wins(store: ProfileStore) -> None:
    await store.save("p", "u", {"e1": "v1", "e2": "v2"})
    await store.save("p", "u", {"e2": "v3", "e3": "v4"})
    assert await store.lookup("p", "u") == {"e1": "v1", "e2": "v3", "e3": "v4"}


async def test_projects_and_users_are_kept_apart(store: ProfileStore) -> None:
    await store.save("p", "u", {"e": "v"})
    assert await store.lookup("q", "u") == {}
    assert await store.lookup("p", "w") == {}


async def test_delete_forgets_the_experiments_named_and_counts_those_that_were_there(store: ProfileStore) -> None:
    await store.save("p", "u", {"e1": "v1", "e2": "v2"})
    assert await store.delete("p", "u", ["e1", "e9"]) == 1
    assert await store.lookup("p", "u") == {"e2": "v2"}


async def test_delete_without_experiments_forgets_the_user_and_nobody_else(store: ProfileStore) -> None:
    await store.save("p", "u", {"e1": "v1", "e2": "v2"})
    await store.save("p", "w", {"e1": "v1"})
    assert await store.delete("p", "u", None) == 2
    assert await store.lookup("p", "u") == {}
    assert await store.lookup("p", "w") == {"e1": "v1"}


async def test_delete_of_nothing_is_no_error(store: ProfileStore) -> None:
    assert await store.delete("p", "u", None) == 0
    assert await store.delete("p", "u", ["e"]) == 0


@pytest.mark.parametrize("user_id", ["a:b", "p:u", "Zoë 🦊", "nul\0byte", "line\r\nbreak", "%s", "x" * 65_536])
async def test_any_user_id_is_one_user(store: ProfileStore, user_id: str) -> None:
    await store.save("p", user_id, {"e": user_id[:10]})
    assert await store.lookup("p", user_id) == {"e": user_id[:10]}


async def test_saves_and_lookups_of_many_users_at_once_do_not_mix(store: ProfileStore) -> None:
    users = [f"user-{number}" for number in range(USERS)]
    await asyncio.gather(*(store.save("p", user, {"e": user}) for user in users))
    found = await asyncio.gather(*(store.lookup("p", user) for user in users))
    assert found == [{"e": user} for user in users]


async def test_lookup_that_is_cancelled_takes_nothing_from_the_others(store: ProfileStore) -> None:
    await store.save("p", "u", {"e": "v"})
    first = asyncio.ensure_future(store.lookup("p", "u"))
    others = [asyncio.ensure_future(store.lookup("p", "u")) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [{"e": "v"}] * 5
