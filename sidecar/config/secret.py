"""Strings that do not show themselves."""

from __future__ import annotations


class Secret(str):
    """A string that does not show itself in logs, reprs and errors; `reveal` gives it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return format("…", spec)

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return str.__str__(self)
