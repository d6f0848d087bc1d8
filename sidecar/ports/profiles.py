"""Where sticky profiles and forced variations are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class ProfileStore(Protocol):
    """Which variation of an experiment a user keeps: (project, user, experiment) → variation, all of them ids.

    Called on the event loop; no method blocks it, and calls may overlap: what one user waits for holds up nobody else.
    Each raises `ProfilesUnavailable` when the store is down, and may be cancelled. Each may be called twice.
    """

    @property
    def name(self) -> str:
        """What it is, for logs and metrics: `memory`, `sqlite` or `redis`."""
        ...

    async def lookup(self, project_id: str, user_id: str) -> Mapping[str, str]:
        """The profile of one user, variation by experiment; empty when there is none."""
        ...

    async def save(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        """Keep these variations; experiments that are not named keep what they have. On return a lookup sees it."""
        ...

    async def delete(self, project_id: str, user_id: str, experiment_ids: Collection[str] | None) -> int:
        """Forget these experiments, or all of the user's (None); returns how many there were."""
        ...

    async def close(self) -> None:
        """Release connections and files; what was saved before stays saved. Idempotent."""
        ...


class ForcedVariation(NamedTuple):
    """A variation set by API. `variation_id` None = the one that was set is removed."""

    datafile: str
    user_id: str
    experiment_id: str
    variation_id: str | None


class ForcedVariationStore(Protocol):
    """Keeps the variations set by API over a restart, in the order in which they were set."""

    async def load(self) -> Sequence[ForcedVariation]:
        """All that are kept, those set first first. Raises `ProfilesUnavailable`."""
        ...

    async def write(self, changes: Sequence[ForcedVariation]) -> None:
        """Keep these changes, all or none. On return they survive the process. Raises `ProfilesUnavailable`."""
        ...
