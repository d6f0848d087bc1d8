"""Counters of the daemon as plain numbers: the owner adds, the HTTP face reads at scrape.

No registry, no lock, no label look-up on a hot path: a counter costs one addition. Everything here is touched by the
event loop's thread alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


def _counts() -> defaultdict[Any, int]:
    """Numbers that begin at zero. Why no `Counter`: it costs twice as much to add one."""
    return defaultdict(int)


@dataclass(slots=True)
class Telemetry:
    """What the acts and the faces count. Never decreases; starts at zero with the process."""

    calls: defaultdict[str, int] = field(default_factory=_counts)
    """Calls by full method name."""
    refusals: defaultdict[tuple[str, str], int] = field(default_factory=_counts)
    """Calls that were answered with an error, by (full method name, status code)."""
    decisions: int = 0
    """Flags decided."""
    impressions_offered: int = 0
    impressions_refused: int = 0
    """Impressions that the outbox had no room for or could not write: never accepted."""
    impressions_repeated: int = 0
    """Impressions not made because the decision id was seen before."""
    events: defaultdict[tuple[str, str, str], int] = field(default_factory=_counts)
    """Outcomes of accepted events, by (destination, state, reason's word)."""
    events_repeated: int = 0
    """Events that were answered with an earlier outcome because their id was remembered."""
    conversions: defaultdict[bool, int] = field(default_factory=_counts)
    """Accepted Tracks that measure an experiment, by whether an exposure of one was seen here; empty when exposures are
    not remembered."""


class OutboxFacts(Protocol):
    """What the metrics want to know of an outbox besides its counts."""

    @property
    def writable(self) -> bool:
        """Whether the last commit succeeded."""
        ...

    @property
    def cause(self) -> str:
        """Why it failed, "" when it did not."""
        ...

    @property
    def commits(self) -> int:
        """Transactions committed."""
        ...

    @property
    def commit_seconds(self) -> float:
        """Time in them."""
        ...

    @property
    def salvages(self) -> int:
        """Damaged files that were replaced by a fresh one with what could be read of them."""
        ...

    @property
    def offered_refused(self) -> Mapping[str, int]:
        """Records that were offered and had no place, by reason."""
        ...
