"""Which wire serves in a test whose configuration names none: `auto`, as for users, unless somebody chose otherwise.

Chosen by the option `--transport` for a whole run, and by the fixture `wire` for the tests that run on both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.transport.native import codec

MISSING = codec.missing()
"""Why the native wire cannot be tested here; empty when it can."""


@dataclass(slots=True)
class Chosen:
    """The wire for what is started from now on."""

    transport: str = "auto"

    @contextlib.contextmanager
    def instead(self, transport: str) -> Iterator[None]:
        """Another one, for a while."""
        before, self.transport = self.transport, transport
        try:
            yield
        finally:
            self.transport = before


CHOSEN = Chosen()
