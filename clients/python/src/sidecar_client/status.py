"""The state of a sidecar as a caller sees it: its datafile, each change of it, and what is left to deliver.

Nothing here knows protobuf or a transport. The meaning of each field is fixed by
proto/sidecar/v1/datafile.proto and tracking.proto. Times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Remainder:
    """What one destination has still to get; `pause_reason` says why it is paused, empty when it is not."""

    destination: str
    events: int
    pause_reason: str = ""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What `flush` left, one entry for each destination, and the events that are still in this client's buffer."""

    remainders: tuple[Remainder, ...]
    buffered: int = 0

    @property
    def complete(self) -> bool:
        """Everything accepted before the flush is delivered, or a dead letter that says why."""
        return not (self.buffered or any(each.events for each in self.remainders))


@dataclass(frozen=True, slots=True)
class DatafileWarning:
    """One thing wrong with a datafile in force; `disabled_flag_key` is empty when it disables no flag."""

    path: str
    description: str
    disabled_flag_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileStatus:
    """What the sidecar decides with, and how fresh it is.

    `revision` is empty and `loaded_time` None before the first datafile. `stale` means that the last look at
    the source failed or is overdue; `last_error` then says why.
    """

    name: str
    revision: str
    source: str
    loaded_time: datetime | None
    checked_time: datetime | None
    stale: bool
    from_cache: bool
    last_error: str
    warnings: tuple[DatafileWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileChange:
    """A revision that came into force; `lost` counts changes missed because this reader was slow."""

    revision: str
    loaded_time: datetime | None
    source: str
    warnings: int
    lost: int
