"""The machine: time and randomness, as arguments of everything that needs them."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """Randomness where an id is needed."""

    def new(self) -> str:
        """A version 4 UUID, lower case with hyphens; never the same twice."""
        ...


class Clock(Protocol):
    """Time, as an argument of everything that needs it."""

    def now_ms(self) -> int:
        """Wall clock: milliseconds since 1970 UTC. May step back and forth."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary point, never back. For intervals and deadlines."""
        ...
