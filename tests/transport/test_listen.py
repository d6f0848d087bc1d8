"""Addresses, and what is done to a Unix socket's file before it is bound."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sidecar.errors import ConfigInvalid
from sidecar.transport.listen import TcpAddress, UnixAddress, clear_stale_socket, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8013", TcpAddress("127.0.0.1", 8013)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("[::1]:80", TcpAddress("::1", 80)),
        ("0.0.0.0:65535", TcpAddress("0.0.0.0", 65535)),  # noqa: S104 - a text, bound by nobody
        ("unix:/run/s.sock", UnixAddress(Path("/run/s.sock"))),
        ("unix:///run/s.sock", UnixAddress(Path("/run/s.sock"))),
        ("unix:s.sock", UnixAddress(Path("s.sock"))),
    ],
)
def test_address_is_read(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_address(text) == address


def test_address_of_ipv6_is_written_in_brackets() -> None:
    assert str(TcpAddress("::1", 80)) == "[::1]:80"


@pytest.mark.parametrize("text", ["", ":80", "host", "host:", "host:port", "host:65536", "host:-1", "unix:", "8013"])
def test_address_that_is_none_is_refused_with_what_was_wanted(text: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"`{text}`, wanted HOST:PORT or unix:PATH"):
        parse_address(text)


def test_socket_path_beyond_the_kernel_s_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="at most 107 bytes"):
        parse_address("unix:/" + "x" * 107)


def test_directory_of_a_socket_is_made(tmp_path: Path) -> None:
    clear_stale_socket(tmp_path / "a" / "b" / "s")
    assert (tmp_path / "a" / "b").is_dir()


def test_stale_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    clear_stale_socket(path)
    assert not path.exists()


def test_socket_that_is_answered_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        live.listen()
        with pytest.raises(ConfigInvalid, match="answered by another process"):
            clear_stale_socket(path)
        assert path.exists()


def test_socket_of_a_busy_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as first:
        live.bind(str(path))
        live.listen(0)
        first.connect(str(path))
        with pytest.raises(ConfigInvalid, match="answered by another process"):
            clear_stale_socket(path)
        assert path.exists()


def test_anything_else_at_the_path_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "directory").mkdir()
    for name in ("file", "link", "directory"):
        with pytest.raises(ConfigInvalid, match="no socket"):
            clear_stale_socket(tmp_path / name)
    assert (tmp_path / "file").read_text() == "precious"


def test_socket_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigInvalid, match="cannot be made"):
        clear_stale_socket(tmp_path / "file" / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
