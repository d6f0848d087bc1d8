"""A disk that fails and a wall clock that steps, under one process: faulty.c, compiled once and preloaded into it.

Linux with a C compiler alone; `MISSING` says why not elsewhere.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_COMPILER = shutil.which("gcc") or shutil.which("cc")

MISSING = "" if sys.platform == "linux" and _COMPILER else "wants Linux and a C compiler (gcc or cc), for faulty.c"
"""Why nothing can be preloaded here, empty when it can."""


class FaultyLayer:
    """The layer, and the files by which a test steers it while the process runs."""

    def __init__(self, directory: Path) -> None:
        """Compiles it. `directory` takes the library, its control files and its log."""
        self._library = directory / "faulty.so"
        self._disk, self._clock, self._log = (directory / f"faulty.{name}" for name in ("disk", "clock", "log"))
        command = [str(_COMPILER), "-O2", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)

    def environment(self, mark: str = "") -> dict[str, str]:
        """What the process is to be started with; with a `mark` it keeps a log (see `log`)."""
        steered = {
            "LD_PRELOAD": str(self._library),
            "FAULTY_DISK": str(self._disk),
            "FAULTY_CLOCK": str(self._clock),
        }
        return {**steered, "FAULTY_LOG": str(self._log), "FAULTY_MARK": mark} if mark else steered

    @contextmanager
    def failing_disk(self, error: int = errno.EIO) -> Iterator[None]:
        """Each write and sync of the outbox's files fails with an error, EIO or ENOSPC, within."""
        self._replace(self._disk, errno.errorcode[error])
        yield
        self._disk.unlink()

    def set_clock_ahead(self, seconds: int) -> None:
        """Step the process's wall clock to so many seconds ahead of the machine's, behind it if negative."""
        self._replace(self._clock, str(seconds))

    @property
    def log(self) -> list[str]:
        """In order: `write FILE` and `sync FILE` of the outbox, `sent WORD` for each word with the mark on a socket."""
        return self._log.read_text().splitlines()

    @staticmethod
    def _replace(control: Path, words: str) -> None:
        written = control.with_suffix(".new")
        written.write_text(words)
        # Why a rename: the process must never read half a word.
        written.replace(control)
