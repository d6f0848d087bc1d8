"""Sticky profiles in memory: gone with the process, bounded, the user saved longest ago forgotten first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class MemoryProfiles:
    """The `ProfileStore` that keeps nothing over a restart."""

    name = "memory"

    def __init__(self, users_max: int) -> None:
        """`users_max`, at least 1, counts users of all projects together."""
        self._users_max = users_max
        self._users: dict[tuple[str, str], dict[str, str]] = {}
        self.evicted = 0

    async def lookup(self, project_id: str, user_id: str) -> Mapping[str, str]:
        """See `ports.ProfileStore`."""
        found = self._users.get((project_id, user_id))
        return _NONE if found is None else found.copy()

    async def save(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        """See `ports.ProfileStore`."""
        key = (project_id, user_id)
        # Taken out and put back, so that a dictionary is in the order of the last save.
        self._users[key] = {**self._users.pop(key, {}), **changed}
        if len(self._users) > self._users_max:
            del self._users[next(iter(self._users))]
            self.evicted += 1

    async def delete(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        """See `ports.ProfileStore`."""
        key = (project_id, user_id)
        kept = self._users.get(key)
        if kept is None:
            return 0
        gone = set(kept if experiment_ids is None else experiment_ids) & kept.keys()
        for experiment_id in gone:
            del kept[experiment_id]
        if not kept:
            del self._users[key]
        return len(gone)

    async def close(self) -> None:
        """See `ports.ProfileStore`."""
