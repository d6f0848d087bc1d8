"""The values of this act: what is configured, what decisions read, and what is told about it. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sidecar.decision import CompiledDatafile, DatafileWarning, Decision
from sidecar.events.model import ProjectFacts
from sidecar.limits import DATAFILE_CHUNK_BYTES
from sidecar.ports import EncodedFacts, Rendered, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSource:
    """One configured datafile.

    `name` is unique and not empty; `sdk_key` is the configured one, "" if there is none.
    """

    name: str
    source: Source
    sdk_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One applied revision: all that a call needs of a datafile; never changed.

    `compressed` is the body as loaded (zlib), `body_bytes` its size uncompressed, `content_hash` its SHA-256
    in hex; `loaded_ms` is when it was compiled, milliseconds since 1970 UTC.
    """

    name: str
    compiled: CompiledDatafile = field(repr=False)
    rendered: Mapping[Decision, Rendered] = field(repr=False)
    facts: EncodedFacts = field(repr=False)
    project: ProjectFacts = field(repr=False)
    revision: str
    content_hash: str
    loaded_ms: int
    body_bytes: int
    compressed: bytes = field(repr=False)

    def body(self) -> bytes:
        """The datafile as loaded, byte for byte; takes some 3 ms a megabyte."""
        return zlib.decompress(self.compressed)

    def body_chunks(self, chunk_bytes: int = DATAFILE_CHUNK_BYTES) -> Iterator[bytes]:
        """The datafile as loaded, in chunks of `chunk_bytes` (the last may be shorter).

        They keep what is packed alive, and not the snapshot: a slow reader holds a fiftieth of it.
        """
        return _unpacked(self.compressed, chunk_bytes)


def _unpacked(packed: bytes, chunk_bytes: int) -> Iterator[bytes]:
    unpacking = zlib.decompressobj()
    while chunk := unpacking.decompress(packed, chunk_bytes):
        packed = unpacking.unconsumed_tail
        yield chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileStatus:
    """What is known of one configured datafile. Times in milliseconds since 1970 UTC, 0 = never.

    `revision` and `content_hash` are empty while none is applied. `stale` means that what is served may not
    be what the source holds: the last look failed or its body was `rejected`, and `last_error` says why, in one
    sentence. `from_cache` means that it came from the copy on disk and the source has not answered since.
    `sdk_key` is shortened.
    """

    name: str
    location: str
    sdk_key: str
    revision: str
    content_hash: str
    loaded_ms: int
    last_checked_ms: int
    stale: bool
    last_error: str
    rejected: bool
    from_cache: bool
    warnings: tuple[DatafileWarning, ...]


@dataclass(slots=True, kw_only=True)
class DatafileStats:
    """Counts since start, read at scrape: one per look at the source, by what came of it.

    checks = applied + unchanged + rejected + unavailable; `copies_failed` counts last good copies that could
    not be written to disk, `took_s` is how long the last application took, from the read body to the swap.
    """

    applied: int = 0
    unchanged: int = 0
    rejected: int = 0
    unavailable: int = 0
    copies_failed: int = 0
    took_s: float = 0.0
