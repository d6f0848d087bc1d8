"""Gets a damaged outbox file open: as it is, or, when its first page cannot be used, a copy with that of a fresh one.

The first page says where every table begins. All outbox files have their tables at the same places, since they are
made by the same statements in the same order, so the first page of one does for the others.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sidecar.errors import OutboxSchemaNewer
from sidecar.outbox.salvage_reading import DamagedFile
from sidecar.outbox.schema import PAGE_BYTES, SCHEMA_VERSION, Durability, connect, prepared, schema_version

HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"
_KNOWN: Final = (
    (slice(16, 18), (PAGE_BYTES.to_bytes(2, "big"),), "page size"),
    (slice(18, 20), (b"\x01\x01", b"\x02\x02"), "format versions"),
    (slice(20, 24), (b"\x00\x40\x20\x20",), "payload fractions"),
    (slice(44, 48), ((4).to_bytes(4, "big"),), "schema format"),
    (slice(56, 60), ((1).to_bytes(4, "big"),), "text encoding"),
)
"""What the header of every outbox holds. Source: https://www.sqlite.org/fileformat2.html, section 1.3."""


@dataclass(frozen=True, slots=True)
class Source:
    """A damaged file that can be read, and the version of its tables."""

    file: DamagedFile
    version: int


def header_problem(header: bytes) -> str:
    """What is wrong with the first 100 bytes of an outbox; "" = nothing."""
    if len(header) < HEADER_BYTES:
        return f"the header has {len(header)} bytes, wanted {HEADER_BYTES}"
    if not header.startswith(_MAGIC):
        return "file is not a database"
    return next((f"the header's {name} is damaged" for place, known, name in _KNOWN if header[place] not in known), "")


def read_header(path: Path) -> bytes:
    """The first 100 bytes, or what there is of them."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


@contextmanager
def damaged_file(path: Path) -> Iterator[Source | None]:
    """The file to read from; None when it is no outbox at all. Raises `OutboxSchemaNewer`, `OSError`.

    `path` itself is not changed; a copy is made beside it only when it must be.
    """
    with closing(_reading(path)) as connection:
        tables = _tables(connection)
        if tables and not {"meta", "records"} <= tables:
            yield None
            return
        if tables and not header_problem(read_header(path)):
            yield _source(connection, path)
            return
    with TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.salvaging-") as directory:
        copy = _with_first_page(path, Path(directory) / path.name)
        with closing(connect(str(copy))) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            yield _source(connection, copy) if _tables(connection) else None


def _reading(path: Path) -> sqlite3.Connection:
    connection = connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    # Why: without it a file that is shorter than its header says is refused as a whole.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return set()


def _source(connection: sqlite3.Connection, path: Path) -> Source:
    try:
        version = schema_version(connection)
    except (sqlite3.Error, ValueError):
        columns = connection.execute("SELECT count(*) FROM pragma_table_info('dead_letters')").fetchone()[0]
        version = SCHEMA_VERSION if columns > _COLUMNS_OF_VERSION_1 else 1
    if version > SCHEMA_VERSION:
        raise OutboxSchemaNewer(str(path), version, SCHEMA_VERSION)
    return Source(DamagedFile(connection, path), version)


_COLUMNS_OF_VERSION_1: Final = 9
"""Of `dead_letters`."""


def _with_first_page(path: Path, copy: Path) -> Path:
    """A copy of the file whose first page is that of a fresh outbox; its WAL goes along."""
    template = copy.with_name("template.db")
    prepared(connect(str(template)), Durability.PROCESS, str(template)).close()
    first = bytearray(template.read_bytes()[:PAGE_BYTES])
    if path.exists():
        shutil.copyfile(path, copy)
    pages = max(1, (copy.stat().st_size if copy.exists() else 0) // PAGE_BYTES)
    first[28:32] = pages.to_bytes(4, "big")
    # No free pages: what the list of a damaged file says would only mislead.
    first[32:40] = bytes(8)
    with copy.open("r+b" if copy.exists() else "wb") as file:
        file.write(first)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
    return copy
