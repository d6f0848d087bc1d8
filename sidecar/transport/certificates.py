"""The PEM files of TLS, looked at before each handshake: changed ones are used from the next handshake on.

A half-written pair, or one that does not fit, keeps the last good one. What is made of the files is the wire's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from sidecar.errors import ConfigInvalid
from sidecar.transport.listen import TlsFiles

MadeT = TypeVar("MadeT")


class Certificates(Generic[MadeT]):
    """What `make` makes of the files, and made anew when one of them has changed."""

    def __init__(self, files: TlsFiles, make: Callable[[TlsFiles], MadeT]) -> None:
        """`make` may raise `ConfigInvalid` and `OSError`, the latter also when files change meanwhile."""
        self._files, self._make = files, make
        self._seen = self._stamps()
        self._refused: Sequence[int] = ()
        self._log = structlog.get_logger()

    def first(self) -> MadeT:
        """Made of the files as they are now; raises what `make` does."""
        return self._make(self._files)

    def if_changed(self) -> MadeT | None:
        """Made anew, None when nothing changed or what is there cannot be used."""
        stamps = self._stamps()
        if stamps in (self._seen, self._refused):
            return None
        try:
            made = self._make(self._files)
        except (ConfigInvalid, OSError) as unusable:
            # Why remembered: this is asked at each handshake, and one line says it.
            self._refused = stamps
            self._log.warning("certificates_refused", cause=str(unusable))
            return None
        self._seen = stamps
        self._log.info("certificates_reloaded", certificate=str(self._files.certificate))
        return made

    def _stamps(self) -> Sequence[int]:
        """When each file changed last, 0 for one that is not there."""
        paths: Sequence[Path | None] = (self._files.certificate, self._files.key, self._files.client_ca)
        return [path.stat().st_mtime_ns if path.exists() else 0 for path in paths if path is not None]
