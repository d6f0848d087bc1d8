"""A real Redis: what it keeps, what a slow or dead one does to decisions, and that many users cost one round trip."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from sidecar.app.system import SystemClock
from sidecar.config import Secret
from sidecar.errors import ProfilesUnavailable
from sidecar.sticky import StickyProfiles
from tests.support.redis_server import MISSING, RedisServer, delaying

if TYPE_CHECKING:
    from sidecar.profiles.redis import RedisProfiles

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

PREFIX = "sidecar:profile:"


def profiles(port: int, ttl_s: float | None = None) -> RedisProfiles:
    from sidecar.profiles.redis import RedisProfiles

    return RedisProfiles(Secret(f"redis://127.0.0.1:{port}/0"), prefix=PREFIX, ttl_s=ttl_s)


@asynccontextmanager
async def sticky(port: int, wait_s: float) -> AsyncIterator[StickyProfiles]:
    one = StickyProfiles(profiles(port), clock=SystemClock(), wait_s=wait_s)
    services = [asyncio.ensure_future(service()) for service in one.services()]
    await asyncio.sleep(0)
    yield one
    for service in services:
        service.cancel()
    await asyncio.gather(*services, return_exceptions=True)
    await one.close()


async def written(sticky: StickyProfiles) -> None:
    while sticky.waiting_saves:
        await asyncio.sleep(0.005)


async def test_profile_is_a_hash_that_others_can_read_and_expires_when_told(own_redis: RedisServer) -> None:
    store = profiles(own_redis.port, ttl_s=100)
    await store.save("p", "u", {"e": "v"})
    raw = store._redis
    assert await raw.hgetall(f"{PREFIX}p:u") == {"e": "v"}
    assert 95_000 < await raw.pttl(f"{PREFIX}p:u") <= 100_000
    await store.close()


async def test_key_of_another_type_fails_its_own_user_alone(own_redis: RedisServer) -> None:
    store = profiles(own_redis.port)
    await store._redis.set(f"{PREFIX}p:bad", "text")
    await store.save("p", "good", {"e": "v"})
    bad, good = await asyncio.gather(store.lookup("p", "bad"), store.lookup("p", "good"), return_exceptions=True)
    assert isinstance(bad, ProfilesUnavailable)
    assert "WRONGTYPE" in str(bad)
    assert good == {"e": "v"}
    await store.close()


async def test_many_users_at_once_take_little_longer_than_one(own_redis: RedisServer) -> None:
    delay_s, users = 0.1, 200
    async with delaying(own_redis.port, delay_s) as port, sticky(port, wait_s=2.0) as one:
        await one.lookup("p", "connects")
        began_s = time.monotonic()
        found = await asyncio.gather(*(one.lookup("p", f"user-{number}") for number in range(users)))
        took_s = time.monotonic() - began_s
    assert [each.problem for each in found] == [""] * users
    # New connections greet first: a few round trips, where one after another would be 200.
    assert took_s < 10 * delay_s


async def test_decision_goes_on_after_the_bounded_wait_when_redis_hangs(own_redis: RedisServer) -> None:
    async with sticky(own_redis.port, wait_s=0.05) as one:
        await one.lookup("p", "connects")
        own_redis.pause(600)
        began_s = time.monotonic()
        sticked = await one.lookup("p", "u")
        assert time.monotonic() - began_s < 0.4
        assert sticked.variations is None
        assert sticked.problem == "profile store `redis` gave no answer within 50 ms"


async def test_redis_that_dies_and_comes_back_is_used_again_with_what_it_had(own_redis: RedisServer) -> None:
    async with sticky(own_redis.port, wait_s=1.0) as one:
        one.save_later("p", "before", {"e": "v"})
        await written(one)
        own_redis.kill()
        down = await one.lookup("p", "before")
        assert down.variations is None
        assert down.problem.startswith("profile store `redis` gave no answer: ")
        one.save_later("p", "meanwhile", {"e": "w"})
        while not one.stats.saves_failed:
            await asyncio.sleep(0.005)
        own_redis.start()
        await written(one)
        while (await one.lookup("p", "before")).problem:
            await asyncio.sleep(0.02)
        assert (await one.lookup("p", "before")).variations == {"e": "v"}
        assert (await one.lookup("p", "meanwhile")).variations == {"e": "w"}
        assert one.stats.saves_dropped == 0


def test_client_is_not_imported_until_redis_is_configured() -> None:
    code = "import sys, sidecar.app.serve, sidecar.app.build; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
