"""A parsed datafile: its own facts, and its entities found by key or id but still as bytes.

Values only; `parsing` makes them, `compiling` reads the entities. The raw views keep the datafile's body
alive, which is what explanations and GetConfig read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Raw, Struct

from sidecar.decision.entities import Group
from sidecar.limits import DATAFILE_WARNINGS_MAX


@dataclass(frozen=True, slots=True)
class DatafileWarning:
    """Something in an accepted datafile that is not as it should be.

    `path` is a JSON path, `featureFlags[3].key`.
    """

    path: str
    message: str


class Warnings:
    """Collects warnings up to the bound and counts the rest."""

    __slots__ = ("_counted", "_kept")

    def __init__(self, kept: tuple[DatafileWarning, ...] = ()) -> None:
        self._kept = list(kept)
        self._counted = len(kept)

    def add(self, path: str, message: str) -> None:
        """Keep one warning, if there is room for it and for the count."""
        self._counted += 1
        if len(self._kept) < DATAFILE_WARNINGS_MAX - 1:
            self._kept.append(DatafileWarning(path, message))

    def all(self) -> tuple[DatafileWarning, ...]:
        """In datafile order; the last one says how many were left out, if any were."""
        left_out = self._counted - len(self._kept)
        if not left_out:
            return tuple(self._kept)
        return (*self._kept, DatafileWarning("", f"{left_out} more warnings are not listed"))


class Entity(Struct, frozen=True, gc=False):
    """One entity as bytes, and where it stands: `section` is the path of its list."""

    section: str
    index: int
    raw: Raw
    group: Group | None = None
    """The group that an experiment belongs to."""

    @property
    def path(self) -> str:
        """The entity's JSON path, `groups[0].experiments[2]`."""
        return f"{self.section}[{self.index}]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Datafile:
    """What a datafile says, not yet compiled. Flags by key, holdouts in order, everything else by id."""

    body: bytes
    """What it was read from, without a byte order mark. The entities below are views of it, so that it is kept once."""
    revision: str
    account_id: str
    project_id: str
    sdk_key: str
    environment_key: str
    region: str
    """`US` or `EU`, upper case; `US` when absent."""
    anonymize_ip: bool
    bot_filtering: bool | None
    send_flag_decisions: bool
    flags: Mapping[str, Entity]
    experiments: Mapping[str, Entity]
    rollouts: Mapping[str, Entity]
    audiences: Mapping[str, Entity]
    holdouts: tuple[Entity, ...]
    local_holdouts: tuple[Entity, ...]
    attribute_ids: Mapping[str, str]
    event_ids: Mapping[str, str]
    event_experiments: Mapping[str, tuple[str, ...]]
    warnings: tuple[DatafileWarning, ...]
