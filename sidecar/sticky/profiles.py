"""The act: looks profiles up for decisions, hands saves to the writer, and serves those who ask by hand.

A store that is slow or down costs a decision `wait_s` at most; after a few such lookups in a row it is left alone and
tried with one lookup at a time, so that not every decision waits. Lookups of several users run beside each other, those
of one user at the same time are one. What this process has not saved yet is laid over what the store says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog

from sidecar import limits
from sidecar.errors import ProfilesUnavailable
from sidecar.ports import Clock, ProfileStore
from sidecar.sticky.patience import Patience
from sidecar.sticky.saves import Saves, bounded
from sidecar.sticky.stats import Key, StickyStats

_BUSY_SHARE: Final = 0.25
_EXTENSIONS_MAX: Final = 5
"""A timer that is off by more than this share of `wait_s` says that the event loop was busy, not that the store was
slow: the lookup gets its time again, at most so often."""


class Sticky(NamedTuple):
    """What a decision may know of a user's profile: variation by experiment, empty when the user has none.

    `problem` says in English why the store was not heard. Then `variations` is None, or what this process itself chose
    and could not save yet; and what is decided must not be saved, since the store may hold another variation.
    """

    variations: Mapping[str, str] | None
    problem: str = ""


@dataclass(slots=True, eq=False)
class _Asking:
    """One lookup at the store. `probe`: it tries a store that is left alone.

    `heard` is done once there is an `answer`, or once it is too late for one: `timer` says when. Who comes later than
    that does not wait at all.
    """

    probe: bool
    heard: asyncio.Future[None]
    answer: Mapping[str, str] | ProfilesUnavailable | None = None
    timer: asyncio.Handle | None = None


class StickyProfiles:
    """Looks profiles up for decisions and saves what they changed, over one store.

    `_asking` holds the lookups under way, `_group` owns their tasks while the services run.
    """

    def __init__(self, store: ProfileStore, *, clock: Clock, wait_s: float = limits.PROFILE_WAIT_S) -> None:
        self.stats = StickyStats()
        self._store, self._clock, self._wait_s = store, clock, wait_s
        self._patience = Patience(store.name)
        self._group: asyncio.TaskGroup | None = None
        self._asking: dict[Key, _Asking] = {}
        self._saves = Saves(store, self.stats)
        self._log = structlog.get_logger()

    @property
    def resting(self) -> bool:
        """Whether the store is left alone."""
        return self._patience.resting

    @property
    def waiting_saves(self) -> int:
        """Users whose change is not written yet."""
        return len(self._saves)

    def services(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """What must run, each once until it is cancelled: without it no profile is found and none saved."""
        return (self._look_up, self._saves.run)

    # --- for decisions ------------------------------------------------------------------------------------------------

    async def lookup(self, project_id: str, user_id: str) -> Sticky:
        """The profile of one user, after `wait_s` seconds at most. Never raises but when it is cancelled."""
        self.stats.lookups += 1
        key = (project_id, user_id)
        asking: _Asking | str | None = self._asking.get(key)
        if asking is None:
            asking = self._ask(key)
        else:
            self.stats.shared += 1
        if isinstance(asking, str):
            self.stats.not_asked += 1
            return Sticky(self._saves.laid_over(key, None), asking)
        before = self._saves.laid_over(key, None)
        # Why shielded: a caller that goes away must not take the answer from the others.
        await asyncio.shield(asking.heard)
        found = self._heard(key, asking)
        if before is None:
            return found
        # Why: what was not written when the store was asked may be written now, so that neither of them tells it.
        return Sticky({**(found.variations or {}), **before, **(self._saves.laid_over(key, None) or {})}, found.problem)

    def save_later(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        """Save these variations by experiment soon; never waits, never raises. The next lookup here sees them at once.

        For what traffic chose after a lookup without a problem, and only what differs from that profile.
        """
        self._saves.add((project_id, user_id), changed)

    # --- by hand ------------------------------------------------------------------------------------------------------

    async def read(self, project_id: str, user_id: str) -> Mapping[str, str]:
        """The profile of one user, from the store whatever happened before. Raises `ProfilesUnavailable`."""
        async with bounded(self._store.name):
            found = await self._store.lookup(project_id, user_id)
        return self._saves.laid_over((project_id, user_id), found) or {}

    async def merge(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> Mapping[str, str]:
        """Keep these variations and return the merged profile, once it is written. Raises `ProfilesUnavailable`."""
        async with self._alone_with((project_id, user_id)):
            await self._store.save(project_id, user_id, changed)
            return await self._store.lookup(project_id, user_id)

    async def forget(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        """Forget these experiments of a user, or all (None); returns how many there were.

        Raises `ProfilesUnavailable`.
        """
        async with self._alone_with((project_id, user_id)):
            return await self._store.delete(project_id, user_id, experiment_ids)

    async def close(self) -> None:
        """Write what is left, bounded in time, then close the store. After the services."""
        try:
            async with asyncio.timeout(limits.PROFILE_DRAIN_S):
                while self._saves and await self._saves.save_some():
                    pass
        except TimeoutError:
            pass
        if self.waiting_saves:
            self.stats.saves_dropped += self.waiting_saves
            self._log.error("profiles_not_saved", users=self.waiting_saves, store=self._store.name)
        await self._store.close()

    @asynccontextmanager
    async def _alone_with(self, key: Key) -> AsyncIterator[None]:
        async with self._saves.alone_with(key):
            try:
                yield
            finally:
                # A lookup that began before this change must not answer one that begins after it.
                self._asking.pop(key, None)

    # --- lookups ------------------------------------------------------------------------------------------------------

    async def _look_up(self) -> None:
        """Own the tasks of the lookups under way."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _ask(self, key: Key) -> _Asking | str:
        """Start a lookup at the store, or say why not."""
        name = self._store.name
        if self._group is None:
            return f"profile store `{name}` was not asked: the sidecar is starting or stopping"
        if len(self._asking) >= limits.PROFILE_LOOKUPS_MAX:
            return f"profile store `{name}` was not asked: {len(self._asking)} lookups wait for it"
        admitted = self._patience.admits(self._clock.monotonic_s())
        if admitted is None:
            return f"profile store `{name}` was not asked: it was slow or down a moment ago, and is tried now and then"
        return self._start(self._group, key, probe=admitted)

    def _start(self, group: asyncio.TaskGroup, key: Key, *, probe: bool) -> _Asking:
        loop = asyncio.get_running_loop()
        asking = self._asking[key] = _Asking(probe=probe, heard=loop.create_future())
        self._give_time(loop, asking, _EXTENSIONS_MAX)
        group.create_task(self._answer(key, asking))
        return asking

    def _give_time(self, loop: asyncio.AbstractEventLoop, asking: _Asking, extensions: int) -> None:
        now_s = self._clock.monotonic_s()
        asking.timer = loop.call_later(self._wait_s, self._time_over, loop, asking, now_s, extensions)

    def _time_over(self, loop: asyncio.AbstractEventLoop, asking: _Asking, since_s: float, extensions: int) -> None:
        if asking.heard.done():
            return
        off_s = abs(self._clock.monotonic_s() - since_s - self._wait_s)
        if extensions and off_s > self._wait_s * _BUSY_SHARE:
            self._give_time(loop, asking, extensions - 1)
            return
        asking.heard.set_result(None)
        self._patience.failed(self._clock.monotonic_s(), self._no_answer(), probe=asking.probe)

    async def _answer(self, key: Key, asking: _Asking) -> None:
        try:
            async with asyncio.timeout(limits.PROFILE_ANSWER_S):
                asking.answer = await self._store.lookup(*key)
        except ProfilesUnavailable as failed:
            asking.answer = failed
        except TimeoutError:
            # Who waited for it has gone on long ago.
            pass
        finally:
            if self._asking.get(key) is asking:
                del self._asking[key]
            if not asking.heard.done():
                self._in_time(asking)

    def _in_time(self, asking: _Asking) -> None:
        """The store answered, or the services were stopped, before `wait_s` was over."""
        if asking.timer is not None:
            asking.timer.cancel()
        asking.heard.set_result(None)
        if isinstance(asking.answer, ProfilesUnavailable):
            self._patience.failed(self._clock.monotonic_s(), str(asking.answer), probe=asking.probe)
        elif asking.answer is not None:
            self._patience.succeeded()

    def _heard(self, key: Key, asking: _Asking) -> Sticky:
        answer = asking.answer
        if answer is None:
            self.stats.slow += 1
            return Sticky(self._saves.laid_over(key, None), self._no_answer())
        if isinstance(answer, ProfilesUnavailable):
            self.stats.failed += 1
            return Sticky(self._saves.laid_over(key, None), str(answer))
        return Sticky(self._saves.laid_over(key, answer))

    def _no_answer(self) -> str:
        return f"profile store `{self._store.name}` gave no answer within {self._wait_s * 1000:g} ms"
