"""Fixtures of all tests of this client: a scripted sidecar on TCP, and one on a Unix socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.python.tests.scripted import Listening, ScriptedSidecar


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening("127.0.0.1:0")
    yield server
    server.stop()


@pytest.fixture
def sidecar(listening: Listening) -> ScriptedSidecar:
    return listening.script


@pytest.fixture
def on_socket(tmp_path: Path) -> Iterator[Listening]:
    server = Listening(f"unix:{tmp_path / 'sidecar.sock'}")
    yield server
    server.stop()
