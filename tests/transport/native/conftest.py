"""Tests of the native wire alone. They are not collected where its codec is not installed, as they import it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop

from tests.support.wire import MISSING

collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test on the loop that the daemon runs on, and on the one that is easier to reason about."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def serve() -> Any:
    """What serves a table while its context is open."""
    from tests.support.peers import serving_table

    return serving_table
