"""Which wire the daemon serves with: what is there, what was asked for, and that the other one is not loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.transport.native.codec import API_VERSION
from tests.support.daemon import ROOT, Daemon
from tests.support.served import SHOP
from tests.support.wire import MISSING

ABSENT = "raise ImportError('gone', name='decision_sidecar_native')"
CONFIGURATION = {"datafile": str(SHOP), "http_listen": "off"}


def with_codec(directory: Path, text: str) -> dict[str, str]:
    """An environment in which the codec is this Python module, whatever is installed."""
    directory.mkdir(exist_ok=True)
    (directory / "decision_sidecar_native.py").write_text(text)
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), str(directory)])}


@pytest.mark.parametrize(
    ("codec", "cause"),
    [
        (ABSENT, "the package decision-sidecar-native is not installed"),
        ("API_VERSION = 0", f"the package decision-sidecar-native has API version 0, wanted {API_VERSION}"),
        (
            "import no_such_library",
            "the package decision-sidecar-native cannot be loaded: No module named 'no_such_library'",
        ),
    ],
)
def test_without_its_codec_the_daemon_serves_over_grpcio_and_says_why(tmp_path: Path, codec: str, cause: str) -> None:
    configuration = {**CONFIGURATION, "transport": "auto"}
    with Daemon(tmp_path, configuration, environment=with_codec(tmp_path / "site", codec)) as daemon:
        daemon.start()
        assert daemon.logged("transport_chosen")[0]["transport"] == "grpcio"
        assert daemon.logged("transport_chosen")[0]["cause"] == cause
        assert daemon.logged("listening")[0]["transport"] == "grpcio"


def test_native_without_its_codec_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    configuration = {**CONFIGURATION, "transport": "native"}
    with Daemon(tmp_path, configuration, environment=with_codec(tmp_path / "site", ABSENT)) as daemon:
        assert daemon.spawn().wait() == 2
        assert "transport is `native`, but the package decision-sidecar-native is not installed" in daemon.log
        assert "make setup" in daemon.log


@pytest.mark.skipif(bool(MISSING), reason=MISSING or "it is there")
def test_auto_takes_native_where_it_is_installed(tmp_path: Path) -> None:
    with Daemon(tmp_path, {**CONFIGURATION, "transport": "auto"}) as daemon:
        daemon.start()
        assert daemon.logged("transport_chosen")[0]["transport"] == "native"
        assert daemon.logged("listening")[0]["transport"] == "native"


@pytest.mark.parametrize(
    ("transport", "loads", "not_loaded"),
    [
        ("grpcio", "grpc", "decision_sidecar_native"),
        pytest.param(
            "native",
            "decision_sidecar_native",
            "grpc",
            marks=pytest.mark.skipif(bool(MISSING), reason=MISSING or "it is there"),
        ),
    ],
)
def test_only_the_wire_that_serves_is_loaded(tmp_path: Path, transport: str, loads: str, not_loaded: str) -> None:
    program = f"""
import asyncio, contextlib, sys
import sidecar.app.serve
from sidecar import config
from sidecar.app.build import build
from sidecar.app.settings import Settings

async def main():
    async with contextlib.AsyncExitStack() as closing:
        await build(config.read(Settings, {{"transport": {transport!r}, "data_dir": {str(tmp_path)!r}}}), closing)

asyncio.run(main())
print({loads!r} in sys.modules, {not_loaded!r} in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "True False"
