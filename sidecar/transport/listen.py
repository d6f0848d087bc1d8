"""Where a wire listens: the addresses of the config, parsed, and what must be done to a Unix socket's file.

An address is `HOST:PORT` (port 0 = any free one), `[IPV6]:PORT`, or `unix:PATH`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sidecar.errors import ConfigInvalid

_PORT_MAX: Final = 65_535
SOCKET_PATH_BYTES_MAX: Final = 107
"""What the kernel's address of a Unix socket holds. Source: unix(7)."""


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

    def raise_if_unusable(self) -> None:
        """Raise `ConfigInvalid` that names each file that cannot be read, or is not the PEM that is wanted of it."""
        problems = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            self.certificate.read_bytes()
            self.key.read_bytes()
            # Why an empty password: an encrypted key must be refused, not asked for on the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except OSError as unusable:
            pair = f"tls_cert `{self.certificate}` and tls_key `{self.key}`"
            problems.append(f"{pair} cannot be used: {_cause(unusable)}")
        if self.client_ca is not None:
            try:
                context.load_verify_locations(self.client_ca)
            except OSError as unusable:
                problems.append(f"tls_client_ca `{self.client_ca}` cannot be used: {_cause(unusable)}")
        if problems:
            raise ConfigInvalid(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions:
    """Where and how a wire listens. `socket_mode` is of the Unix sockets' files."""

    addresses: Sequence[TcpAddress | UnixAddress]
    tls: TlsFiles | None
    socket_mode: int


def cannot_listen(address: TcpAddress | UnixAddress) -> OSError:
    """What every wire raises for an address that it cannot bind."""
    return OSError(f"cannot listen on {address}: the port is taken or the address is not ours")


def _cause(unusable: OSError) -> str:
    if isinstance(unusable, ssl.SSLError):
        return f"no PEM of that kind, or no pair ({unusable.reason or 'unreadable'})"
    return f"{unusable.strerror}" + (f": {unusable.filename}" if unusable.filename else "")


def parse_address(text: str) -> TcpAddress | UnixAddress:
    """Parse one address; raises `ConfigInvalid` that says what was wanted."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if len(path.encode()) > SOCKET_PATH_BYTES_MAX:
            raise ConfigInvalid([f"listen address is `{text}`, wanted a path of at most {SOCKET_PATH_BYTES_MAX} bytes"])
        if path:
            return UnixAddress(Path(path))
    host, separator, port = text.rpartition(":")
    if separator and host and port.isdecimal() and int(port) <= _PORT_MAX and not host.startswith("unix"):
        return TcpAddress(host.strip("[]"), int(port))
    raise ConfigInvalid([f"listen address is `{text}`, wanted HOST:PORT or unix:PATH"])


def clear_stale_socket(path: Path) -> None:
    """Remove the socket file that an earlier process left; its directory is made when it is missing.

    Raises `ConfigInvalid` when something else stands there, when a process still answers on it or may do so, and when
    the directory cannot be made or read.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as refused:
        raise ConfigInvalid([f"listen address unix:{path} cannot be made: {refused.strerror}"]) from refused
    if not stat.S_ISSOCK(mode):
        raise ConfigInvalid([f"listen address unix:{path} is no socket, wanted a free path; left it alone"])
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            # Only this says that nobody listens: a busy process, or one of another user, gives other errors.
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass
    raise ConfigInvalid([f"listen address unix:{path} is answered by another process, wanted a free path"])
