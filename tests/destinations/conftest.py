"""A real collector and a real client for every destination that speaks HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sidecar.destinations.http import HttpClient
from tests.collector.fixtures import collector

__all__ = ["client", "collector"]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[HttpClient]:
    """The one HTTP client of a process."""
    made = HttpClient()
    yield made
    await made.close()
