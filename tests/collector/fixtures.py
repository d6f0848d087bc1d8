"""The collector as a pytest fixture: a test directory's conftest imports it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.collector.server import Collector


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector that answers 200 until it is told otherwise."""
    server = Collector()
    await server.start()
    yield server
    await server.close()
