"""Saves that nobody waits for: what decisions changed, gathered by user, written several users at once, tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from sidecar import limits
from sidecar.errors import ProfilesUnavailable
from sidecar.ports import ProfileStore
from sidecar.sticky.stats import Key, StickyStats


class Saves:
    """The changes of profiles that are not in the store yet, and the writer that brings them there.

    A change is in `_unsaved` until the writer takes it, in `_saving` until it is written. `_writing` keeps the order of
    writes to one user: the writer's and those that are asked for by hand.
    """

    def __init__(self, store: ProfileStore, stats: StickyStats) -> None:
        self._store, self._stats = store, stats
        self._unsaved: dict[Key, dict[str, str]] = {}
        self._saving: dict[Key, Mapping[str, str]] = {}
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._saves_well = True
        self._log = structlog.get_logger()

    def __len__(self) -> int:
        """Users whose change is not written yet."""
        return len(self._unsaved) + len(self._saving)

    def add(self, key: Key, changed: Mapping[str, str]) -> None:
        """Gather a change; never waits. Past `limits.PROFILE_SAVES_MAX` users it is dropped and counted."""
        waiting = self._unsaved.get(key)
        if waiting is not None:
            waiting.update(changed)
        elif len(self._unsaved) >= limits.PROFILE_SAVES_MAX:
            self._stats.saves_dropped += 1
        elif changed:
            self._unsaved[key] = dict(changed)
            self._changed.set()

    def laid_over(self, key: Key, found: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """What the store said with what it does not have yet; None stays None when there is no change."""
        unsaved, saving = self._unsaved.get(key), self._saving.get(key)
        if unsaved is None and saving is None:
            return found
        return {**(found or {}), **(saving or {}), **(unsaved or {})}

    async def run(self) -> None:
        """Write until cancelled; while the store is down, try again now and then."""
        rest_s = 0.0
        while True:
            await self._changed.wait()
            if await self.save_some():
                rest_s = 0.0
                if not self._unsaved:
                    self._changed.clear()
            else:
                rest_s = min(max(rest_s * 2, limits.PROFILE_REST_MIN_S), limits.PROFILE_REST_MAX_S)
                await asyncio.sleep(rest_s)

    async def save_some(self) -> bool:
        """Write the changes that wait longest, several users at once; whether all of them were written."""
        async with self._writing:
            before = self._stats.saves_failed
            keys = [key for key, _ in zip(self._unsaved, range(limits.PROFILE_SAVES_AT_ONCE), strict=False)]
            try:
                async with asyncio.TaskGroup() as group:
                    for key in keys:
                        self._saving[key] = self._unsaved.pop(key)
                        group.create_task(self._save(key))
            finally:
                self._put_back()
            return self._stats.saves_failed == before

    def _put_back(self) -> None:
        """What could not be written, or not in time, waits again, below what changed since."""
        for key, changed in self._saving.items():
            self._unsaved[key] = {**changed, **self._unsaved.get(key, {})}
        self._saving.clear()

    async def _save(self, key: Key) -> None:
        try:
            async with bounded(self._store.name):
                await self._store.save(*key, self._saving[key])
        except ProfilesUnavailable as failed:
            self._stats.saves_failed += 1
            if self._saves_well:
                self._saves_well = False
                self._log.error("profile_saves_failed", store=self._store.name, cause=str(failed))
        else:
            if not self._saves_well:
                self._saves_well = True
                self._log.info("profile_saves_succeeded_again", store=self._store.name)
            self._stats.saves += 1
            del self._saving[key]

    @asynccontextmanager
    async def alone_with(self, key: Key) -> AsyncIterator[None]:
        """Keep the writer away while a user's profile is changed by hand, and write first what waits for that user.

        Bounded in time, with what is done inside. Raises `ProfilesUnavailable`.
        """
        async with bounded(self._store.name), self._writing:
            waiting = self._unsaved.pop(key, None)
            try:
                if waiting is not None:
                    self._saving[key] = waiting
                    await self._store.save(*key, waiting)
                    del self._saving[key]
                yield
            finally:
                self._put_back()


@asynccontextmanager
async def bounded(store: str) -> AsyncIterator[None]:
    """The time that a store may take for any one answer. Raises `ProfilesUnavailable` when it is over."""
    try:
        async with asyncio.timeout(limits.PROFILE_ANSWER_S):
            yield
    except TimeoutError as late:
        raise ProfilesUnavailable(store, f"none came within {limits.PROFILE_ANSWER_S:g} s") from late
