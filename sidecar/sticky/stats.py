"""What sticky profiles count, and how one is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]
"""Project and user."""


@dataclass(slots=True)
class StickyStats:
    """What is counted. Never decreases."""

    lookups: int = 0
    """Lookups by decisions."""
    shared: int = 0
    """Of them, those that joined one of the same user that was under way."""
    slow: int = 0
    """Of them, those that went on without an answer after `wait_s`."""
    failed: int = 0
    """Of them, those that the store answered with an error."""
    not_asked: int = 0
    """Of them, those for which the store was not asked: it is left alone, or too many lookups wait."""
    saves: int = 0
    """Users whose changed profile was written."""
    saves_failed: int = 0
    """Writes that failed and are tried again."""
    saves_dropped: int = 0
    """Changes that had no place in the queue of saves, or were left in it when the daemon stopped."""
