"""Listening sockets, bound before anything serves: TCP by name or number, and Unix sockets with their mode.

No moment passes in which a socket file has a wider mode than the configured one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from typing import Final

from sidecar.transport.listen import TcpAddress, UnixAddress, cannot_listen, clear_stale_socket

BACKLOG: Final = 1024
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What binding says of an address of a family that this machine does not have."""


def listen_tcp(address: TcpAddress) -> tuple[TcpAddress, Sequence[socket.socket]]:
    """One socket for each number of a host's name, all on one port; returns the address with the port as bound.

    `[::]` takes IPv4 too. Raises `OSError` when none can be bound.
    """
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, target in _targets(address):
            one = socket.socket(family, socket.SOCK_STREAM)
            try:
                _bind_tcp(one, (target, port), dual=address.host == "::")
            except OSError as refused:
                one.close()
                if refused.errno not in _NOT_HERE:
                    raise
                continue
            sockets.append(one)
            port = one.getsockname()[1]
        if not sockets:
            raise cannot_listen(address)
    except OSError as refused:
        for one in sockets:
            one.close()
        raise cannot_listen(address) from refused
    return TcpAddress(address.host, port), sockets


def listen_unix(address: UnixAddress, mode: int) -> socket.socket:
    """A socket file with this mode, in place of a stale one. Raises `ConfigInvalid`, `OSError`."""
    clear_stale_socket(address.path)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Why before bind: the file is made with the socket's own mode, less the umask. Linux alone can; elsewhere the
        # mode is set only after.
        with contextlib.suppress(OSError):
            os.fchmod(one.fileno(), mode)
        one.bind(str(address.path))
        address.path.chmod(mode)
        one.listen(BACKLOG)
    except OSError as refused:
        one.close()
        raise cannot_listen(address) from refused
    one.settimeout(0)
    return one


def _targets(address: TcpAddress) -> Sequence[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(target[0])) for family, _, _, _, target in found))


def _bind_tcp(one: socket.socket, target: tuple[str, int], *, dual: bool) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
    one.bind(target)
    one.listen(BACKLOG)
    one.settimeout(0)


def peer_name(address: object) -> str:
    """The other side as gRPC writes it: `ipv4:127.0.0.1:4711`, `ipv6:[::1]:4711`, `unix:`."""
    if not isinstance(address, tuple):
        return "unix:"
    return f"ipv6:[{address[0]}]:{address[1]}" if ":" in address[0] else f"ipv4:{address[0]}:{address[1]}"
