"""The one way out over HTTP: one POST, one answer, never an exception for what the other side does.

Cheap to make and to import: the HTTP library is loaded at the first POST. Details for people are bounded and
hold no secret.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sidecar.destinations.endpoint import Endpoint
from sidecar.ports import Answer

if TYPE_CHECKING:
    from sidecar.destinations.posting import Session


class HttpClient:
    """POSTs for every HTTP destination of the process. Made by `app`, opened at first use, closed once."""

    def __init__(self) -> None:
        # Guards the opening: two destinations may want their first attempt at the same moment.
        self._opening = asyncio.Lock()
        self._session: Session | None = None

    async def post(self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str], now_ms: int) -> Answer:
        """One attempt: the verdict on its status, and what Retry-After wishes as of `now_ms`."""
        session = self._session or await self._open()
        return await session.post(endpoint, body, headers, now_ms)

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _open(self) -> Session:
        async with self._opening:
            if self._session is None:
                # Why in a thread: the import takes a tenth of a second, and decisions are being answered.
                posting = await asyncio.to_thread(importlib.import_module, "sidecar.destinations.posting")
                opened: Session = posting.Session()
                self._session = opened
            return self._session
