"""Tests of the native wire alone. They are not collected where its codec is not installed, as they import it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.support.daemon import Daemon
from tests.support.neighbours import with_large_flag
from tests.support.served import SHOP, WEBHOOK
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


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The whole daemon on the native wire, for those who mean it harm. Its one destination is down."""
    with _daemon(tmp_path_factory.mktemp("daemon")) as one:
        yield one


@pytest.fixture
def fresh_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One that has held nothing yet: what was held once stays with the allocator, and would hide what is held now."""
    with _daemon(tmp_path) as one:
        yield one


@contextlib.contextmanager
def _daemon(directory: Path) -> Iterator[Daemon]:
    datafile = directory / "datafile.json"
    datafile.write_text(json.dumps(with_large_flag(SHOP)))
    configured = {"datafiles": {"default": {"path": str(datafile)}}, "destinations": [WEBHOOK], "transport": "native"}
    with Daemon(directory, configured) as one:
        yield one.start()
