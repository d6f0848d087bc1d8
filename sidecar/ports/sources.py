"""Where a datafile comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body as its source gave it. `version` is the source's own token (a content hash, an ETag)."""

    body: bytes
    version: str


class Source(Protocol):
    """A place that holds a datafile and can say when a look is worth it.

    Used by one task at a time: read, apply, `applied`, `changed`, and again.
    """

    @property
    def location(self) -> str:
        """The place in words, for logs and `GetStatus`: a path or a URL without its secrets."""
        ...

    async def read(self) -> Fetched | None:
        """The body, or None when it is the one last given to `applied`.

        Raises `SourceUnavailable` (unreadable, gone, empty, timed out, refused), as often as it is called.
        """
        ...

    def applied(self, fetched: Fetched) -> None:
        """The body was parsed, compiled and swapped in: only now may its version be kept. Idempotent."""
        ...

    async def changed(self, failures: int) -> None:
        """Returns when a read is worth it: a change was seen, or the poll interval passed.

        `failures` counts the reads and applications that failed in a row (0 = the last went well); a polling
        source backs off by it. May be cancelled at any time.
        """
        ...

    async def close(self) -> None:
        """Release watches and connections. Idempotent."""
        ...
