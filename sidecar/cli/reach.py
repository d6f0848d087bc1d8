"""Which running sidecar a command speaks to, and how it gets in."""

from __future__ import annotations

import argparse
import os
from typing import Final

from sidecar.client.channel import Target

DEFAULT_ADDRESS: Final = "127.0.0.1:8013"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the sidecar is and what opens its door."""
    parser.add_argument("--address", metavar="ADDRESS", help="HOST:PORT or unix:PATH (SIDECAR_ADDRESS)")
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="how long to wait (2)")
    parser.add_argument("--tls-ca", metavar="FILE", help="serve's certificate authority; given, TLS is spoken")
    parser.add_argument("--tls-cert", metavar="FILE", help="a client certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="its key")
    parser.add_argument("--token-file", metavar="FILE", help="a bearer token")


def target(given: argparse.Namespace) -> Target:
    """The sidecar that is named by flag, by variable, or by what `serve` listens on."""
    listen = os.environ.get("SIDECAR_GRPC_LISTEN", DEFAULT_ADDRESS).split(",")[0].strip()
    return Target(
        address=given.address or os.environ.get("SIDECAR_ADDRESS") or listen,
        tls_ca=given.tls_ca,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        token_file=given.token_file,
    )
