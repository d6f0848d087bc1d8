"""Sticky profiles in a Redis, shared by every pod that uses it. Needs the extra `redis`; imported only when configured.

A user's profile is one hash: PREFIX + project id + `:` + user id, of variation id by experiment id. Lookups of one turn
of the event loop leave in one pipeline, so that many users cost one round trip. Nothing is tried twice here: whether
and when a Redis that is down is asked again is decided above.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sidecar.config import Secret
from sidecar.errors import ProfilesUnavailable
from sidecar.limits import PROFILE_ANSWER_S

_CONNECTIONS_MAX: Final = 16
_PIPELINE_MAX: Final = 64
"""Lookups of one pipeline."""


_Answered: TypeAlias = asyncio.Future[Mapping[str, str] | None]
"""What one lookup waits for; None = ask again."""
_Batch: TypeAlias = list[tuple[str, _Answered]]


class RedisProfiles:
    """The `ProfileStore` that all pods share."""

    name = "redis"

    def __init__(self, url: Secret, *, prefix: str, ttl_s: float | None) -> None:
        """No connection is made yet: a Redis that is down does not keep the daemon from starting.

        `ttl_s` is how long a profile is kept after its last change, None = for ever. Raises `ValueError` for a URL that
        cannot be read.
        """
        self._prefix, self._ttl_ms = prefix, None if ttl_s is None else int(ttl_s * 1000)
        pool = BlockingConnectionPool.from_url(
            url.reveal(),
            max_connections=_CONNECTIONS_MAX,
            timeout=PROFILE_ANSWER_S,
            socket_timeout=PROFILE_ANSWER_S,
            socket_connect_timeout=PROFILE_ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            encoding_errors="replace",
        )
        self._redis = Redis.from_pool(pool)
        self._gathered: _Batch = []

    async def lookup(self, project_id: str, user_id: str) -> Mapping[str, str]:
        """See `ports.ProfileStore`."""
        loop, key = asyncio.get_running_loop(), self._key(project_id, user_id)
        found = None
        while found is None:
            answered: _Answered = loop.create_future()
            batch = self._gathered
            batch.append((key, answered))
            if len(batch) == _PIPELINE_MAX:
                self._gathered = []
            if len(batch) == 1:
                await self._send(batch)
            found = await answered
        return found

    async def save(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        """See `ports.ProfileStore`."""
        key = self._key(project_id, user_id)
        commands: list[tuple[Any, ...]] = [("HSET", key, *(part for pair in changed.items() for part in pair))]
        if self._ttl_ms is not None:
            commands.append(("PEXPIRE", key, self._ttl_ms))
        await self._run(commands)

    async def delete(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        """See `ports.ProfileStore`."""
        key = self._key(project_id, user_id)
        if experiment_ids is None:
            return int((await self._run([("HLEN", key), ("DEL", key)]))[0])
        if not experiment_ids:
            return 0
        return int((await self._run([("HDEL", key, *experiment_ids)]))[0])

    async def close(self) -> None:
        """See `ports.ProfileStore`."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    def _key(self, project_id: str, user_id: str) -> str:
        return f"{self._prefix}{project_id}:{user_id}"

    async def _send(self, batch: _Batch) -> None:
        """Ask for a batch, by the first lookup of it, and answer the others."""
        try:
            await asyncio.sleep(0)
            self._take(batch)
            found = await self._run([("HGETALL", key) for key, _ in batch], alone=True)
        except ProfilesUnavailable as failed:
            found = [failed] * len(batch)
        except asyncio.CancelledError:
            self._take(batch)
            # The first one has gone; the others choose another first.
            for _, answered in batch[1:]:
                if not answered.done():
                    answered.set_result(None)
            raise
        for (_, answered), one in zip(batch, found, strict=True):
            if answered.done():
                continue
            if isinstance(one, Exception):
                answered.set_exception(_unavailable(one))
            else:
                answered.set_result(one)

    def _take(self, batch: _Batch) -> None:
        """From now on lookups gather in another batch."""
        if self._gathered is batch:
            self._gathered = []

    async def _run(self, commands: Sequence[tuple[Any, ...]], *, alone: bool = False) -> list[Any]:
        """Commands in one round trip, as one transaction unless each stands `alone`: its error is its answer then."""
        try:
            async with self._redis.pipeline(transaction=not alone) as pipeline:
                for command in commands:
                    # In a pipeline this only gathers; `execute` is what waits.
                    _ = pipeline.execute_command(*command)
                return await pipeline.execute(raise_on_error=not alone)
        except Exception as failed:
            raise _unavailable(failed) from failed


def _unavailable(cause: Exception) -> ProfilesUnavailable:
    if isinstance(cause, ProfilesUnavailable):
        return cause
    return ProfilesUnavailable("redis", str(cause) or type(cause).__name__)
