"""Listening sockets of the native wire: names with several addresses, and a file's mode from its first moment on."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from sidecar.transport.listen import TcpAddress, UnixAddress
from sidecar.transport.native.sockets import listen_tcp, listen_unix


def test_name_is_bound_at_each_of_its_addresses_on_one_port() -> None:
    names = {target[0] for *_, target in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    bound, sockets = listen_tcp(TcpAddress("localhost", 0))
    try:
        assert {one.getsockname()[1] for one in sockets} == {bound.port}
        assert {one.getsockname()[0] for one in sockets} <= names
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on {host}:8013: the port is taken or the address is not ours"):
        listen_tcp(TcpAddress(host, 8013))


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="Linux alone gives a socket's file the mode of the socket")
def test_socket_file_is_never_wider_than_its_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[int] = []
    chmod = Path.chmod

    def look(path: Path, mode: int) -> None:
        first.append(stat.S_IMODE(path.stat().st_mode))
        chmod(path, mode)

    monkeypatch.setattr(Path, "chmod", look)
    before = os.umask(0)
    try:
        with tempfile.TemporaryDirectory(prefix="s") as name:
            listen_unix(UnixAddress(Path(name, "s")), 0o600).close()
    finally:
        os.umask(before)
    assert first == [0o600]
