"""The last good datafile on disk, one file a name: what is served at start when the source is down.

`NAME.json` is the body as loaded; `NAME.origin` says which source it came from, so that a name that was
pointed at another project is never answered with the old one. All methods block: call them off the loop.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from sidecar.limits import DATAFILE_BYTES_MAX
from sidecar.values import Pause, in_pieces, no_pause


class LastGood:
    """Copies in one directory, which is made when it is first needed.

    Not for two processes at once: `app` locks the data directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def holds(self, name: str, origin: str) -> bool:
        """Whether there is a copy of a name, of this origin and of a size that we would read."""
        path, origin_path = self._paths(name)
        try:
            return origin_path.read_text() == _digest(origin) and 0 < path.stat().st_size <= DATAFILE_BYTES_MAX
        except OSError:
            return False

    def read(self, name: str) -> bytes:
        """The copy of a name. Raises `OSError` when it cannot be read."""
        return self._paths(name)[0].read_bytes()

    def keep(self, name: str, origin: str, body: bytes, pause: Pause = no_pause) -> None:
        """Replace the copy of a name; durable on return, whole or not at all. Raises `OSError`."""
        path, origin_path = self._paths(name)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = _digest(origin)
        same_origin = origin_path.exists() and origin_path.read_text() == digest
        if not same_origin:
            # First of all: a crash between the steps must leave a copy without origin, never
            # one with the wrong origin.
            origin_path.unlink(missing_ok=True)
            self._sync()
        _replace(path, body, pause)
        if not same_origin:
            _replace(origin_path, digest.encode(), pause)
        self._sync()

    def _paths(self, name: str) -> tuple[Path, Path]:
        file_name = quote(name, safe="")
        return self._directory / f"{file_name}.json", self._directory / f"{file_name}.origin"

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _digest(origin: str) -> str:
    # Why a digest: an origin holds an SDK key.
    return sha256(origin.encode()).hexdigest()


def _replace(path: Path, body: bytes, pause: Pause) -> None:
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.writelines(in_pieces(body, pause))
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
