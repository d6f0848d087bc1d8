"""A datafile in the file system, mounted, linked, renamed or written in place.

A read looks at the whole content and compares its hash; watches and the poll only say when a read is worth
it, so that a lost event costs a poll interval and never a revision. Watches are placed before the file is
read: what changes after that is seen. `sources/watching.py` owns the watches; without them (none given, or
the kernel has none left) the poll does all.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from sidecar.errors import SourceUnavailable
from sidecar.limits import DATAFILE_BYTES_MAX
from sidecar.ports import Fetched
from sidecar.values import PIECE_BYTES, Pause, content_hash, no_pause

POLL_INTERVAL_MIN_S: Final = 0.05
SETTLE_S: Final = 0.05
"""A read waits until its file was quiet for so long: a writer in place makes several events."""
SETTLE_ROUNDS_MAX: Final = 20
"""A file that is never quiet is read after this many waits all the same."""
LINKS_MAX: Final = 40
"""Symbolic links followed on the way to the file, as the kernel does."""
READS_MAX: Final = 3
"""Attempts at a read during which the file does not change."""

WatchPoints: TypeAlias = Mapping[str, frozenset[str]]
"""Directories by path, each with the names in it whose change can change what the path leads to."""

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""How a URL begins once it was read as a path, which makes one slash of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSourceSection:
    """A datafile that is a file: a mounted ConfigMap, a volume, a file on a developer's disk."""

    path: Path
    """Where the file is; relative paths start at the working directory. Symbolic links are followed and
    watched."""

    poll_interval_s: float = 5.0
    """Seconds between looks when no change is reported, at least 0.05. A net under the watches, and all there
    is on file systems without events (NFS, some virtual machines' shared folders); a look at 10 MB costs some
    10 ms.
    """

    def __post_init__(self) -> None:
        """Raise `ValueError` for a field out of its range, and for a URL: it may hold a password, and is not shown."""
        if _URL.match(str(self.path)):
            raise ValueError("path is a URL, wanted a path; a URL goes under `url`")
        if not self.poll_interval_s >= POLL_INTERVAL_MIN_S:
            raise ValueError(f"poll_interval_s is {self.poll_interval_s}, wanted at least {POLL_INTERVAL_MIN_S}")


class Watches(Protocol):
    """What a file source needs of `watching.DirectoryWatches`. The methods may block; thread-safe."""

    def follow(self, poke: Poke, points: WatchPoints) -> bool:
        """Watch exactly these places for a follower; False when one of them vanished meanwhile."""
        ...

    def leave(self, poke: Poke) -> None:
        """Watch nothing for a follower. Idempotent."""
        ...


class Poke(Protocol):
    """Called from any thread when something changed; hashable, returns at once."""

    def __call__(self) -> None:
        """Say that something changed."""
        ...


class FileSource:
    """One file as a `ports.Source`; version = SHA-256 of the content."""

    def __init__(
        self, section: FileSourceSection, *, watches: Watches | None, gently: Callable[[], Pause] = lambda: no_pause
    ) -> None:
        """`gently` makes the pause of a read once a body was applied, since decisions are made beside it."""
        self._path = Path(os.path.abspath(section.path))  # noqa: PTH100 - resolve() would follow links: they are watched
        self._poll_interval_s = section.poll_interval_s
        self._watches = watches
        self._gently = gently
        self._applied = ""
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poke_pending = False

    @property
    def location(self) -> str:
        """The absolute path, links not followed."""
        return str(self._path)

    async def read(self) -> Fetched | None:
        """See `ports.Source.read`; in a thread, at most `limits.DATAFILE_BYTES_MAX` bytes."""
        self._loop = asyncio.get_running_loop()
        fetched = await asyncio.to_thread(self._watch_and_read)
        return None if fetched.version == self._applied else fetched

    def applied(self, fetched: Fetched) -> None:
        """See `ports.Source.applied`."""
        self._applied = fetched.version

    async def changed(self, failures: int) -> None:  # noqa: ARG002 - the port's; a look at a file needs no backoff
        """See `ports.Source.changed`: a change that has settled, else the poll interval."""
        try:
            async with asyncio.timeout(self._poll_interval_s):
                await self._changed.wait()
        except TimeoutError:
            return
        for _ in range(SETTLE_ROUNDS_MAX):
            self._changed.clear()
            await asyncio.sleep(SETTLE_S)
            if not self._changed.is_set():
                return

    async def close(self) -> None:
        """Leave the watches. Idempotent."""
        self._loop = None
        if self._watches is not None:
            await asyncio.to_thread(self._watches.leave, self._poke)

    def _watch_and_read(self) -> Fetched:
        if self._watches is not None:
            # Why more than once: a directory can be replaced between the look at it and its watch.
            for _ in range(READS_MAX):
                if self._watches.follow(self._poke, watch_points(self._path)):
                    break
        pause = self._gently() if self._applied else no_pause
        body = read_file(self._path, pause)
        return Fetched(body=body, version=content_hash(body, pause))

    def _poke(self) -> None:
        """Called by the watching thread; any number of calls before the loop's next turn are one."""
        loop = self._loop
        if loop is None or self._poke_pending:
            return
        self._poke_pending = True
        try:
            loop.call_soon_threadsafe(self._on_poke)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
            self._loop = None

    def _on_poke(self) -> None:
        self._poke_pending = False
        self._changed.set()


def watch_points(path: Path) -> WatchPoints:
    """The places to watch so that no change of what an absolute path leads to goes unseen.

    The directory of each symbolic link on the way, and the real directory of the file; when a directory is
    missing, the nearest ancestor that exists, for the name that is missing.
    """
    points: dict[str, frozenset[str]] = {}
    here, parts, links = Path(path.anchor), list(reversed(path.parts[1:])), 0
    while parts:
        name = parts.pop()
        if name == "..":
            here = here.parent
            continue
        step = here / name
        points_here = points.get(str(here), frozenset()) | {name}
        if links < LINKS_MAX and step.is_symlink():
            points[str(here)] = points_here
            links += 1
            target = step.readlink()
            parts.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
            here = Path(target.anchor) if target.is_absolute() else here
        elif not parts or not step.is_dir():
            points[str(here)] = points_here
            break
        else:
            here = step
    return points


def read_file(path: Path, pause: Pause = no_pause) -> bytes:
    """The whole content of a regular file, taken while the file did not change; `pause` is called between its pieces.

    Raises `SourceUnavailable` when it is missing, unreadable, no regular file, empty, larger than
    `limits.DATAFILE_BYTES_MAX` (found before reading) or changing all the time.
    """
    for _ in range(READS_MAX):
        try:
            body = _read_still(path, pause)
        except OSError as error:
            raise _unavailable(path, _reason(path, error)) from error
        if body is not None:
            return body
    raise _unavailable(path, f"it changed during each of {READS_MAX} reads")


def _read_still(path: Path, pause: Pause) -> bytes | None:
    """One attempt; None when the file changed meanwhile."""
    # Why not blocking: opening a FIFO would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            kind = "it is a directory" if stat.S_ISDIR(before.st_mode) else "it is no regular file"
            raise _unavailable(path, kind)
        if before.st_size > DATAFILE_BYTES_MAX:
            raise _unavailable(path, f"it has {before.st_size} bytes")
        body = _read_pieces(descriptor, before.st_size, pause)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not still or len(body) != before.st_size:
        return None
    if not body:
        raise _unavailable(path, "it is empty")
    return body


def _read_pieces(descriptor: int, size_bytes: int, pause: Pause) -> bytes:
    """As much as there is, at most `size_bytes`."""
    # Why so: it is read to where it stays, and given away as it is; a copy of ten megabytes would be one long step.
    buffer = BytesIO(bytes(size_bytes))
    length = 0
    with buffer.getbuffer() as whole:
        while piece := os.readv(descriptor, [whole[length : length + PIECE_BYTES]]):
            length += piece
            pause()
    buffer.truncate(length)
    return buffer.getvalue()


def _reason(path: Path, error: OSError) -> str:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        missing = path
        while not missing.parent.is_dir():
            missing = missing.parent
        if missing != path:
            return f"its directory `{missing}` does not exist"
        return "it links to nothing" if path.is_symlink() else "it does not exist"
    return f"it cannot be read ({error.strerror})"


def _unavailable(path: Path, got: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"datafile `{path}` unavailable: {got}, wanted a readable file of 1 to {DATAFILE_BYTES_MAX} bytes"
    )
