"""The machine's own clock, randomness and locks: what `ports` asks for and tests replace."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sidecar.errors import ConfigInvalid, DataDirectoryLocked

_IDS_PER_DRAW: Final = 256
_M_ARENA_MAX: Final = -8


class SystemClock:
    """The `Clock` of the machine."""

    def now_ms(self) -> int:
        """See `ports.Clock`."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """See `ports.Clock`."""
        return time.monotonic()


class RandomIds:
    """The `Ids` of the machine: UUIDs in the form of version 4, unique and not secret. Source: RFC 9562 §5.4.

    Why not `uuid.uuid4`: an id is made in most calls. So 74 random bits are drawn for 256 ids at once, and the last 48
    count on from a random number.
    """

    def __init__(self) -> None:
        self._head = ""
        self._tail = self._last = 0
        # Why: a forked child with the same random bytes would make its parent's ids.
        os.register_at_fork(after_in_child=self._draw)
        self._draw()

    def new(self) -> str:
        """See `ports.Ids`."""
        tail = self._tail = self._tail + 1
        if tail == self._last:
            self._draw()
        return f"{self._head}{tail:012x}"

    def _draw(self) -> None:
        drawn = os.urandom(16).hex()
        self._head = f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{'89ab'[int(drawn[16], 16) & 3]}{drawn[17:20]}-"
        # Why a bit is left out: so that what is counted on never needs a thirteenth digit.
        self._tail = int(drawn[20:], 16) >> 1
        self._last = self._tail + _IDS_PER_DRAW


class TokenFile:
    """The bearer token in a file, read again when the file changes, looked at once a second at most."""

    def __init__(self, path: Path, clock: SystemClock) -> None:
        """Raises `ConfigInvalid` when the file cannot be read or is empty."""
        self._path, self._clock = path, clock
        self._stamp = 0
        self._looked_s = clock.monotonic_s()
        try:
            self._token = self._read()
        except (OSError, ValueError) as unreadable:
            raise ConfigInvalid([f"token_file `{path}` cannot be used: {unreadable}"]) from unreadable

    def __call__(self) -> str:
        """The token as of at most a second ago; a file that is gone or empty keeps the last one."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= 1.0:
            self._looked_s = now_s
            with contextlib.suppress(OSError, ValueError):
                if self._path.stat().st_mtime_ns != self._stamp:
                    self._token = self._read()
        return self._token

    def _read(self) -> str:
        self._stamp = self._path.stat().st_mtime_ns
        token = self._path.read_text().strip()
        if not token:
            raise ValueError("it is empty, wanted a token")
        return token


def use_one_malloc_arena() -> None:
    """Let all threads allocate from one arena: with one each, glibc keeps megabytes that nobody uses.

    To be called before threads start; elsewhere than on glibc it does nothing. Source: mallopt(3), M_ARENA_MAX.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a data directory for this process; it is made, private to its user, when it is missing.

    The lock is the kernel's and goes with the process, however that ends. Raises `DataDirectoryLocked` naming the
    holder, and `ConfigInvalid` when the directory cannot be made or written.
    """
    path = directory / "LOCK"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as refused:
        raise ConfigInvalid([f"data_dir `{directory}` cannot be used: {refused.strerror}"]) from refused
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            holder = os.read(handle, 200).decode(errors="replace").strip()
            raise DataDirectoryLocked(str(directory), holder or "another process") from held
        # Why suppressed: it holds without the holder's name, and what a full disk stops is said by the outbox.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(
                handle,
                f"pid {os.getpid()}, since {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}".encode(),
                0,
            )
        yield
    finally:
        os.close(handle)
