"""Both servers on each transport, made once for a module that asks for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop import serving
from tests.interop.serving import TRANSPORTS, Pems
from tests.support.daemon import Daemon
from tests.support.served import SHOP

TCP: Final = "127.0.0.1:0"


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport by its name in the configuration."""
    return serving.require_transport(request.param)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name: the kernel takes 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="i") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def pems(directory: Path) -> Pems:
    return Pems.issue(directory)


@pytest.fixture(scope="module")
def testing_addresses(transport: str, directory: Path) -> Iterator[list[str]]:
    """The interoperability suite's service on TCP and a Unix socket."""
    with serving.interoperability_service(transport, [TCP, f"unix:{directory}/t-{transport}"]) as addresses:
        yield list(addresses)


@pytest.fixture(scope="module")
def testing_tls_address(transport: str, pems: Pems) -> Iterator[str]:
    """The same with TLS."""
    with serving.interoperability_service(transport, [TCP], *pems.options()) as addresses:
        yield addresses[0]


@pytest.fixture(scope="module")
def datafile(directory: Path) -> Path:
    """The example datafile, padded so that it takes many frames and windows to send."""
    path = directory / "datafile.json"
    path.write_bytes(SHOP.read_bytes() + b"\n" * 1_500_000)
    return path


@pytest.fixture(scope="module")
def daemon(transport: str, directory: Path, datafile: Path) -> Iterator[Daemon]:
    """The daemon on TCP and a Unix socket."""
    configuration = {
        "transport": transport,
        "datafile": str(datafile),
        "grpc_listen": [TCP, f"unix:{directory}/d-{transport}"],
    }
    with Daemon(directory / f"daemon-{transport}", configuration) as daemon:
        yield daemon.start()


@pytest.fixture(scope="module")
def tls_daemon(transport: str, directory: Path, datafile: Path, pems: Pems) -> Iterator[Daemon]:
    """The daemon with TLS."""
    configuration = {"transport": transport, "datafile": str(datafile), **pems.settings()}
    with Daemon(directory / f"tls-{transport}", configuration) as daemon:
        daemon.start(serving=False)
        daemon.wait_for_log("datafile_applied")
        yield daemon
