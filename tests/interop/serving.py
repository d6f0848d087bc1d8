"""Servers of the conformance tests, each a process: the daemon, and the interoperability suite's own service."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import trustme

from tests.interop.callers import Target
from tests.support.daemon import ROOT, START_S
from tests.support.toolchains import missing
from tests.support.wire import MISSING

TRANSPORTS: Final = ("grpcio", "native")
SERVER_NAME: Final = "localhost"


def require_transport(name: str) -> str:
    """The same name; skips where the native codec is not installed, fails there in CI."""
    if name == "native" and MISSING:
        missing(MISSING)
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Pems:
    """Files of a server's certificate, and of the authority that signed it."""

    certificate: Path
    key: Path
    ca: Path

    @classmethod
    def issue(cls, directory: Path) -> Self:
        authority = trustme.CA()
        leaf = authority.issue_cert(SERVER_NAME)
        pems = cls(certificate=directory / "cert.pem", key=directory / "key.pem", ca=directory / "ca.pem")
        pems.certificate.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(pems.key)
        authority.cert_pem.write_to_path(pems.ca)
        return pems

    def options(self) -> Sequence[str]:
        return ["--certificate", str(self.certificate), "--key", str(self.key)]

    def settings(self) -> Mapping[str, Any]:
        return {"tls_cert": str(self.certificate), "tls_key": str(self.key)}


def target(address: str, pems: Pems | None = None) -> Target:
    """How a caller is told an address of a server: `HOST:PORT`, with TLS when there are PEM files, or `unix:PATH`."""
    if address.startswith("unix:"):
        return Target(network="unix", address=address.removeprefix("unix:"))
    if pems is not None:
        return Target(network="tls", address=address, ca=str(pems.ca), server_name=SERVER_NAME)
    return Target(network="tcp", address=address)


@contextlib.contextmanager
def interoperability_service(transport: str, addresses: Sequence[str], *options: str) -> Iterator[Sequence[str]]:
    """`tests.interop.server` on a transport, with options of its command; gives its addresses as bound."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.interop.server", transport, *addresses, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the server ended with {process.wait(START_S)} before it listened"
            yield json.loads(line)
            assert process.poll() is None, f"the server ended with {process.returncode} meanwhile"
        finally:
            process.terminate()
            process.wait(START_S)
