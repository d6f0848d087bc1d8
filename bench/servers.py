"""The servers of a comparison: the sidecar on each wire, and bare echoes on grpc-go and `grpc.aio` beside it.

A server that this machine cannot run is left out, and `Unavailable` says why: its rows are skipped, never guessed.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import grpc

from bench.daemon import Configured, Daemon, one_call, running
from bench.processes import ROOT, Cores, Measured, started
from bench.requests import Asked

NATIVE: Final = "native"
GRPCIO: Final = "grpcio"
GO_ECHO: Final = "grpc-go echo"
AIO_ECHO: Final = "grpc.aio echo"

_GO_SOURCES: Final = ROOT / "bench" / "grpc_go_echo"
_GO_BINARY: Final = ROOT / ".cache" / "bench" / "grpc-go-echo"
_BUILD_S_MAX: Final = 300.0

CALLS_SHARE: Final[Mapping[str, float]] = {NATIVE: 2.0, GO_ECHO: 2.0, GRPCIO: 0.5, AIO_ECHO: 0.5}
"""Calls of a round, of those that the scale names: a call over grpcio takes as long as twenty others."""


class Unavailable(Exception):
    """This machine cannot run a server; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that is loaded. `daemon` is None for an echo, which has nothing to say of what it did."""

    name: str
    process: Measured
    address: str
    daemon: Daemon | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a comparison runs: its cores, its directory, and whether its servers listen on Unix sockets."""

    cores: Cores
    directory: Path
    unix: bool = False

    def listen(self, name: str) -> str:
        """Where the server of this name listens."""
        return f"unix:{self.directory}/{name.split(maxsplit=1)[0]}.sock" if self.unix else "127.0.0.1:0"


@contextlib.contextmanager
def place(cores: Cores, *, unix: bool) -> Iterator[Place]:
    """A directory that is gone afterwards. Its path is short, as that of a Unix socket must be."""
    with tempfile.TemporaryDirectory(prefix="b") as name:
        yield Place(cores=cores, directory=Path(name), unix=unix)


@contextlib.contextmanager
def sidecar(where: Place, wire: str, configured: Callable[[str, str], Configured]) -> Iterator[Server]:
    """The sidecar on a wire, SERVING; `configured` makes its configuration from the wire and the address."""
    directory = where.directory / wire
    directory.mkdir()
    with running(configured(wire, where.listen(wire)), where.cores, directory) as daemon:
        yield Server(name=wire, process=daemon.process, address=daemon.address, daemon=daemon)


@contextlib.contextmanager
def aio_echo(where: Place, asked: Asked, reply_bytes: int) -> Iterator[Server]:
    """A bare `grpc.aio` server on uvloop."""
    arguments = ("-m", "bench.echo_server", str(reply_bytes), where.listen(AIO_ECHO))
    with started(arguments, where.cores.server, where.directory / "aio.log") as process:
        yield _checked(AIO_ECHO, process, asked, reply_bytes)


@contextlib.contextmanager
def go_echo(where: Place, asked: Asked, reply_bytes: int) -> Iterator[Server]:
    """A bare grpc-go server. Raises `Unavailable` where it cannot be built."""
    program = str(built_go_echo())
    arguments = (str(reply_bytes), *((where.listen(GO_ECHO),) if where.unix else ()))
    with started(arguments, where.cores.server, where.directory / "go.log", program=program) as process:
        yield _checked(GO_ECHO, process, asked, reply_bytes)


ECHOES: Final = {GO_ECHO: go_echo, AIO_ECHO: aio_echo}


def _checked(name: str, process: Measured, asked: Asked, reply_bytes: int) -> Server:
    """An echo that answers what it was told to. Raises `RuntimeError` when it does not."""
    said = process.wait_for("listening on").split()[-1]
    address = f"unix:{said}" if said.startswith("/") else said
    with grpc.insecure_channel(address) as channel:
        answered = len(one_call(channel, asked.method, asked.request))
    if answered != reply_bytes:
        raise RuntimeError(f"{name} answers {answered} bytes, wanted {reply_bytes}")
    return Server(name=name, process=process, address=address)


@cache
def built_go_echo() -> Path:
    """The program of `bench/grpc_go_echo`, built once a run. Raises `Unavailable` without Go, or its modules."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable("go is not on the path, which builds the grpc-go echo")
    _GO_BINARY.parent.mkdir(parents=True, exist_ok=True)
    command: Sequence[str] = (go, "build", "-mod=readonly", "-trimpath", "-o", str(_GO_BINARY), ".")
    built = subprocess.run(command, cwd=_GO_SOURCES, capture_output=True, text=True, timeout=_BUILD_S_MAX, check=False)
    if built.returncode:
        raise Unavailable(f"bench/grpc_go_echo could not be built: {built.stderr.strip()[-500:]}")
    return _GO_BINARY
