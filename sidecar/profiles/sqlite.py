"""Sticky profiles and forced variations in `profiles.db` of the data directory: they survive a restart.

For one process alone, whose data directory it is. The thread and the tables are `file`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sidecar.ports import ForcedVariation
from sidecar.profiles.file import ProfileFile

_EVICTED_AT_ONCE: Final = 1_000
"""Entries that one save forgets at most, so that a bound made smaller does not make one save take long."""


class SqliteProfiles:
    """The `ProfileStore` that survives a restart."""

    name = "sqlite"

    def __init__(self, file: ProfileFile, entries_max: int) -> None:
        """`entries_max`, at least 1: pairs of user and experiment; those changed longest ago are forgotten first.

        The last `entries_max` changes are kept. A pair changed again or deleted leaves a gap, so it may be fewer pairs.
        """
        self._file, self._entries_max = file, entries_max
        self.evicted = 0

    async def lookup(self, project_id: str, user_id: str) -> Mapping[str, str]:
        """See `ports.ProfileStore`."""

        def look_up(connection: sqlite3.Connection) -> Mapping[str, str]:
            query = "SELECT experiment_id, variation_id FROM profiles WHERE project_id = ? AND user_id = ?"
            return dict(connection.execute(query, (project_id, user_id)).fetchall())

        return await self._file.ask(look_up)

    async def save(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        """See `ports.ProfileStore`."""
        rows = [(project_id, user_id, *pair) for pair in changed.items()]

        def save(connection: sqlite3.Connection) -> int:
            connection.executemany(
                "INSERT OR REPLACE INTO profiles (project_id, user_id, experiment_id, variation_id)"
                " VALUES (?, ?, ?, ?)",
                rows,
            )
            oldest = (
                "SELECT entry_id FROM profiles WHERE entry_id <= (SELECT max(entry_id) FROM profiles) - ?"
                " ORDER BY entry_id LIMIT ?"
            )
            bounds = (self._entries_max, _EVICTED_AT_ONCE)
            return connection.execute(f"DELETE FROM profiles WHERE entry_id IN ({oldest})", bounds).rowcount  # noqa: S608 - `oldest` is the constant above

        self.evicted += await self._file.ask(save)

    async def delete(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        """See `ports.ProfileStore`."""
        of_user = "DELETE FROM profiles WHERE project_id = ? AND user_id = ?"
        user = (project_id, user_id)

        def delete(connection: sqlite3.Connection) -> int:
            if experiment_ids is None:
                return connection.execute(of_user, user).rowcount
            of_experiment = of_user + " AND experiment_id = ?"
            return sum(connection.execute(of_experiment, (*user, one)).rowcount for one in experiment_ids)

        return await self._file.ask(delete)

    async def close(self) -> None:
        """See `ports.ProfileStore`. The file is closed by who opened it."""


class SqliteForcedVariations:
    """The `ForcedVariationStore` in the same file."""

    def __init__(self, file: ProfileFile) -> None:
        self._file = file

    async def load(self) -> Sequence[ForcedVariation]:
        """See `ports.ForcedVariationStore`."""

        def load(connection: sqlite3.Connection) -> Sequence[ForcedVariation]:
            columns = "datafile, user_id, experiment_id, variation_id"
            rows = connection.execute(f"SELECT {columns} FROM forced_variations ORDER BY entry_id")  # noqa: S608 - `columns` is the constant above
            return [ForcedVariation(*row) for row in rows]

        return await self._file.ask(load)

    async def write(self, changes: Sequence[ForcedVariation]) -> None:
        """See `ports.ForcedVariationStore`."""
        removed = [change[:3] for change in changes if change.variation_id is None]
        kept = [change for change in changes if change.variation_id is not None]

        def write(connection: sqlite3.Connection) -> None:
            where = "datafile = ? AND user_id = ? AND experiment_id = ?"
            connection.executemany(f"DELETE FROM forced_variations WHERE {where}", removed)  # noqa: S608 - `where` is the constant above
            connection.executemany(
                "INSERT OR REPLACE INTO forced_variations (datafile, user_id, experiment_id, variation_id)"
                " VALUES (?, ?, ?, ?)",
                kept,
            )

        await self._file.ask(write)
