"""What docs/transport.md says of TLS on several addresses, shown with the Python client and the command line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import sidecar_client
from sidecar_client import Tls
from tests.support.daemon import Daemon
from tools.checks.tree import ROOT


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


@pytest.fixture
def daemon(tmp_path: Path, authority: trustme.CA) -> Iterator[Daemon]:
    """TLS on a TCP port and a Unix socket at once."""
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    configuration = {
        "datafile": str(ROOT / "examples" / "shop.json"),
        "grpc_listen": ["127.0.0.1:0", f"unix:{tmp_path / 'sidecar.sock'}"],
        "tls_cert": str(tmp_path / "cert.pem"),
        "tls_key": str(tmp_path / "key.pem"),
    }
    with Daemon(tmp_path, configuration) as daemon:
        daemon.start(serving=False)
        daemon.wait_for_log("datafile_applied")
        yield daemon


def test_tls_is_spoken_on_every_address(daemon: Daemon, authority: trustme.CA) -> None:
    tls = Tls(ca_pem=authority.cert_pem.bytes(), server_name="localhost")

    for address in daemon.addresses:
        with sidecar_client.connect(address, tls=tls) as client:
            assert client.user("user-1").decide("checkout_redesign", strict=True, timeout_s=10).revision == "41"


def test_the_health_command_speaks_tls_when_it_is_given_the_authority(daemon: Daemon) -> None:
    command = [sys.executable, "-m", "sidecar", "health", "--address", daemon.address]
    asked = [*command, "--tls-ca", str(daemon.directory / "ca.pem")]

    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)

    assert (said.returncode, said.stdout) == (0, "SERVING\n")
