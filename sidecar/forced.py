"""Variations set by API: (datafile, user, experiment) → variation, read by every decision, kept over a reload.

In memory, and over a restart only when a store is given. It knows ids, never a datafile: whether a variation still
exists is asked where it is used. Rule: docs/semantics.md D5; bound and store: docs/decisions/0040-sticky-profiles.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from sidecar.errors import ProfilesUnavailable
from sidecar.limits import FORCED_VARIATIONS_MAX, PROFILE_DRAIN_S, PROFILE_REST_MAX_S, PROFILE_REST_MIN_S
from sidecar.ports import ForcedVariation, ForcedVariationStore

_User = tuple[str, str]
"""Datafile and user."""


class ForcedVariations:
    """At most `limits.FORCED_VARIATIONS_MAX` of them; past it the one that was set first is forgotten and counted."""

    def __init__(self, store: ForcedVariationStore | None = None, *, entries_max: int = FORCED_VARIATIONS_MAX) -> None:
        self._store, self._entries_max = store, entries_max
        self._log = structlog.get_logger()
        self.by_user: dict[_User, Mapping[str, str]] = {}
        """The variations that are set, by (datafile, user) and then by experiment. To be read only."""
        # In the order of being set, which is the order of being forgotten.
        self._order: dict[tuple[str, str, str], None] = {}
        # What the store does not have yet; the newest change of each experiment.
        self._unwritten: dict[tuple[str, str, str], ForcedVariation] = {}
        self._changed = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()
        self.evicted = 0
        self.store_failures = 0

    def __len__(self) -> int:
        """How many are set."""
        return len(self._order)

    def of(self, datafile: str, user_id: str) -> Mapping[str, str] | None:
        """The variations set for one user, by experiment; None when there are none. `datafile` is the name in force.

        The mapping is never changed: a later `set` makes a new one.
        """
        return self.by_user.get((datafile, user_id))

    def get(self, datafile: str, user_id: str, experiment_id: str) -> str | None:
        """The id of the variation set, None when there is none."""
        return self.by_user.get((datafile, user_id), {}).get(experiment_id)

    def set(self, datafile: str, user_id: str, experiment_id: str, variation_id: str | None) -> None:
        """Set a variation, or remove the one that is set (None). Seen by the next decision of any caller."""
        change = ForcedVariation(datafile, user_id, experiment_id, variation_id)
        self._apply(change)
        self._note(change)
        self._keep_bound()

    async def stored(self) -> None:
        """Returns when everything set so far survives a restart; at once when nothing is stored.

        Waits as long as the store is down: give it a bound.
        """
        await self._written.wait()

    async def load(self) -> None:
        """Take over what the store kept, before anything is set. Raises `ProfilesUnavailable`."""
        if self._store is None:
            return
        for kept in await self._store.load():
            self._apply(kept)
        self._keep_bound()

    def services(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """What must run, each once until it is cancelled, for changes to be stored."""
        return () if self._store is None else (self._write_on,)

    async def close(self) -> None:
        """Write what is left; bounded in time. After the services."""
        if self._store is None or not self._unwritten:
            return
        try:
            async with asyncio.timeout(PROFILE_DRAIN_S):
                await self._write(self._store)
        except (ProfilesUnavailable, TimeoutError) as failed:
            self._log.error("forced_variations_not_stored", changes=len(self._unwritten), cause=str(failed))

    def _apply(self, change: ForcedVariation) -> None:
        datafile, user_id, experiment_id, variation_id = change
        user, key = (datafile, user_id), (datafile, user_id, experiment_id)
        variations = {**self.by_user.get(user, {})}
        variations.pop(experiment_id, None)
        self._order.pop(key, None)
        if variation_id is not None:
            variations[experiment_id] = variation_id
            self._order[key] = None
        if variations:
            self.by_user[user] = variations
        else:
            self.by_user.pop(user, None)

    def _keep_bound(self) -> None:
        while len(self._order) > self._entries_max:
            if not self.evicted:
                self._log.warning("forced_variations_full", entries_max=self._entries_max)
            self.evicted += 1
            oldest = ForcedVariation(*next(iter(self._order)), None)
            self._apply(oldest)
            self._note(oldest)

    def _note(self, change: ForcedVariation) -> None:
        """Have a change written."""
        if self._store is not None:
            key = change[:3]
            self._unwritten.pop(key, None)
            self._unwritten[key] = change
            self._settle()

    def _settle(self) -> None:
        """Tell the two waiting sides whether something is unwritten."""
        if self._unwritten:
            self._changed.set()
            self._written.clear()
        else:
            self._changed.clear()
            self._written.set()

    async def _write_on(self) -> None:
        assert self._store is not None, "`services` gives this only with a store"
        rest_s = 0.0
        while True:
            await self._changed.wait()
            try:
                await self._write(self._store)
            except ProfilesUnavailable as failed:
                self.store_failures += 1
                if not rest_s:
                    self._log.error("forced_variations_store_failed", cause=str(failed))
                rest_s = min(max(rest_s * 2, PROFILE_REST_MIN_S), PROFILE_REST_MAX_S)
                await asyncio.sleep(rest_s)
            else:
                rest_s = 0.0

    async def _write(self, store: ForcedVariationStore) -> None:
        changes = list(self._unwritten.values())
        await store.write(changes)
        for change in changes:
            key = change[:3]
            # A newer change of the same experiment stays, and goes with the next write.
            if self._unwritten.get(key) is change:
                del self._unwritten[key]
        self._settle()
