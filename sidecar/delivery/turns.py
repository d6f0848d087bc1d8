"""How a lane works beside decisions: a slice of work, then others' turn; and a rest while decisions are being made.

Why: a call passes through the event loop several times, and would wait for a slice each time. A backlog is in no hurry,
a decision is. Figures: docs/performance.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

SLICE_S: Final = 0.0005
REST_S: Final = 0.002
"""So a lane has a fifth of the event loop, and decisions have the rest; figures: docs/performance.md."""
_QUIET_S: Final = 0.05
"""How long no decision must have been made for the rests to end."""


class Turns:
    """One lane's slices. `begin` where work begins, and call it between its pieces."""

    def __init__(self, decisions: Callable[[], int]) -> None:
        """`decisions` is how many were made so far."""
        self._decisions = decisions
        self._seen = decisions()
        self._busy_until_s = 0.0
        self._began_s = 0.0

    def begin(self) -> None:
        """A slice begins: what was before it was a wait."""
        self._began_s = time.perf_counter()

    def over(self) -> bool:
        """Whether the slice is; then `pass_on` is due."""
        return time.perf_counter() - self._began_s >= SLICE_S

    async def pass_on(self) -> None:
        """Let others have their turn, and begin a new slice."""
        decisions, now_s = self._decisions(), time.perf_counter()
        if decisions != self._seen:
            self._seen, self._busy_until_s = decisions, now_s + _QUIET_S
        await asyncio.sleep(REST_S if now_s < self._busy_until_s else 0)
        self.begin()
