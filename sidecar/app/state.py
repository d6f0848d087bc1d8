"""Makes the state that decisions read: sticky profiles and forced variations, over the stores that are configured."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric

from sidecar.app.settings import Settings
from sidecar.config import Secret
from sidecar.errors import ConfigInvalid
from sidecar.forced import ForcedVariations
from sidecar.http.profile_metrics import profile_metrics
from sidecar.limits import PROFILE_ENTRIES_MAX, PROFILE_USERS_MAX
from sidecar.ports import Clock, ProfileStore
from sidecar.profiles.file import ProfileFile
from sidecar.profiles.memory import MemoryProfiles
from sidecar.profiles.section import ProfilesSection, StoreName
from sidecar.profiles.sqlite import SqliteForcedVariations, SqliteProfiles
from sidecar.sticky import StickyProfiles


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionState:
    """What decisions read besides the datafile. `sticky` is None when profiles are off."""

    sticky: StickyProfiles | None
    forced: ForcedVariations
    store: ProfileStore | None

    def services(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """What must run, each once until it is cancelled."""
        return [*(self.sticky.services() if self.sticky else ()), *self.forced.services()]

    def metrics(self) -> Iterator[Metric]:
        """What is counted."""
        evicted = self.store.evicted if isinstance(self.store, MemoryProfiles | SqliteProfiles) else 0
        return profile_metrics(self.sticky, self.forced, evicted)


async def decision_state(settings: Settings, clock: Clock, closing: AsyncExitStack) -> DecisionState:
    """Open what is configured and load what was stored. A Redis that is down keeps nothing from starting.

    Raises `ConfigInvalid`, `ProfilesUnopened`, and `ProfilesUnavailable` when what was stored cannot be read.
    """
    section, stored = settings.profiles, settings.forced_variations.stored
    file = None
    if stored or section.store in (StoreName.ON, StoreName.SQLITE):
        file = await ProfileFile.open(settings.data_dir)
        closing.push_async_callback(file.close)
    store = _store(section, file)
    sticky = None
    if store is not None:
        sticky = StickyProfiles(store, clock=clock, wait_s=section.wait_s)
        closing.push_async_callback(sticky.close)
    forced = ForcedVariations(SqliteForcedVariations(file) if file is not None and stored else None)
    await forced.load()
    closing.push_async_callback(forced.close)
    return DecisionState(sticky=sticky, forced=forced, store=store)


def _store(section: ProfilesSection, file: ProfileFile | None) -> ProfileStore | None:
    if section.store is StoreName.OFF:
        return None
    if section.store is StoreName.MEMORY:
        return MemoryProfiles(section.entries_max or PROFILE_USERS_MAX)
    if section.store is StoreName.REDIS:
        assert section.url is not None, "checked by the section"
        return _redis(section.url, section)
    assert file is not None, "opened by the caller for this store"
    return SqliteProfiles(file, section.entries_max or PROFILE_ENTRIES_MAX)


def _redis(url: Secret, section: ProfilesSection) -> ProfileStore:
    # Why here: the client is an extra, and takes memory and time to import.
    try:
        from sidecar.profiles.redis import RedisProfiles
    except ModuleNotFoundError as missing:
        problem = "profiles.store is `redis`, which needs the extra: install `decision-sidecar[redis]`"
        raise ConfigInvalid([problem]) from missing
    try:
        return RedisProfiles(url, prefix=section.prefix, ttl_s=section.ttl_s)
    except ValueError as unreadable:
        raise ConfigInvalid([f"profiles.url cannot be read: {unreadable}"]) from unreadable
