"""Where a wire listens: the addresses of the config, parsed, and what must be done to a Unix socket's file.

An address is `HOST:PORT` (port 0 = any free one), `[IPV6]:PORT`, or `unix:PATH`.
"""

from __future__ import annotations

import contextlib
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sidecar.errors import ConfigInvalid

_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port to bind."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket file to make."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the server. With `client_ca`, a client must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def parse_address(text: str) -> TcpAddress | UnixAddress:
    """Parse one address; raises `ConfigInvalid` that says what was wanted."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if path:
            return UnixAddress(Path(path))
    host, separator, port = text.rpartition(":")
    if separator and host and port.isdecimal() and int(port) <= _PORT_MAX and not host.startswith("unix"):
        return TcpAddress(host.strip("[]"), int(port))
    raise ConfigInvalid([f"listen address is `{text}`, wanted HOST:PORT or unix:PATH"])


def clear_stale_socket(path: Path) -> None:
    """Remove the socket file that an earlier process left; its directory is made when it is missing.

    Raises `ConfigInvalid` when something else stands there, or when a process still answers on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigInvalid([f"listen address unix:{path} is no socket, wanted a free path; left it alone"])
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigInvalid([f"listen address unix:{path} is answered by another process, wanted a free path"])
