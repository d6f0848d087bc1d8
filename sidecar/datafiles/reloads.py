"""Callers that wait for a look at a source, in the order in which they asked."""

from __future__ import annotations

import asyncio

from sidecar.errors import SidecarError, Stopping


class Reloads:
    """Futures, one a caller; a look answers those that asked before it began, later ones the next."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self) -> asyncio.Future[None]:
        """Join those that wait. Raises `Stopping` once nobody looks any more."""
        if self._ended:
            raise Stopping
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    def answer(self, count: int, error: SidecarError | None) -> None:
        """Answer the first `count` with what came of the look, None = success; who left is passed over."""
        answered, self._waiting = self._waiting[:count], self._waiting[count:]
        for waiting in answered:
            if waiting.done():
                continue
            if error is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(error)

    def end(self) -> None:
        """Answer all with `Stopping`, and whoever asks later."""
        self._ended = True
        self.answer(len(self._waiting), Stopping())
