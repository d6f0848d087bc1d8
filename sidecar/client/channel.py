"""A channel to a running sidecar, and what opens its door."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from sidecar.errors import ConfigInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which sidecar, and how to get in. With `tls_ca` TLS is spoken."""

    address: str
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    token_file: str | None = None


def connect(target: Target) -> grpc.Channel:
    """A channel, not connected yet; close it. Raises ConfigInvalid when a certificate cannot be read."""
    if target.tls_ca is None:
        return grpc.insecure_channel(target.address)
    try:
        credentials = grpc.ssl_channel_credentials(
            Path(target.tls_ca).read_bytes(),
            Path(target.tls_key).read_bytes() if target.tls_key else None,
            Path(target.tls_cert).read_bytes() if target.tls_cert else None,
        )
    except OSError as unreadable:
        raise ConfigInvalid([f"certificate cannot be read: {unreadable}"]) from unreadable
    return grpc.secure_channel(target.address, credentials)


def metadata(target: Target) -> tuple[tuple[str, str], ...]:
    """What goes with each call: the bearer token, if there is one."""
    if target.token_file is None:
        return ()
    return (("authorization", f"Bearer {Path(target.token_file).read_text().strip()}"),)
