"""Fixtures of all tests of this client: a scripted sidecar on TCP, and one on a Unix socket, over each transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.python.tests.scripted import Listening, ScriptedSidecar
from sidecar_client import _codec

REAL = {"listening", "sidecar", "on_socket", "secured", "daemon"}
"""Fixtures with a sidecar behind a socket: what uses one runs over both transports, or the module's `TRANSPORTS`."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    only: list[str] = getattr(metafunc.module, "TRANSPORTS", [])
    if only or REAL.intersection(metafunc.fixturenames):
        metafunc.parametrize("transport", only or ["native", "grpcio"], indirect=True)


@pytest.fixture(autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What every client of the test speaks through, its child processes included."""
    chosen = str(getattr(request, "param", "grpcio"))
    if chosen == "native" and _codec.missing():
        pytest.skip(_codec.missing())
    monkeypatch.setenv("SIDECAR_CLIENT_TRANSPORT", chosen)
    return chosen


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
