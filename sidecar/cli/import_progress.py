"""How far an import came: a small file beside the history, written atomically, that knows which file it is of.

`line` and `offset` are behind the last line that is settled: accepted, or refused for good. Form: docs/import.md
"Ids and going on".
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from sidecar.cli.outcome import Unanswerable

SUFFIX: Final = ".progress"
_TAIL_BYTES: Final = 4096
"""What stands before `offset` is compared too: a file that was changed there is another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Lines settled, and where the next one begins; the digests bind it to the file."""

    version: Literal[1] = 1
    line: Annotated[int, Meta(ge=0)]
    offset: Annotated[int, Meta(ge=0)]
    first_line: str
    before: str
    accepted: int = 0
    refused: int = 0


def path_of(history: Path) -> Path:
    """Where the progress of a history is kept."""
    return history.with_name(history.name + SUFFIX)


def digest(some: bytes) -> str:
    """What is kept of bytes to know them again."""
    return sha256(some).hexdigest()


def before(history: Path, offset: int) -> str:
    """The digest of what stands before a place of the file."""
    with history.open("rb") as file:
        file.seek(max(0, offset - _TAIL_BYTES))
        return digest(file.read(min(offset, _TAIL_BYTES)))


def write(history: Path, progress: Progress) -> None:
    """Keep it; a reader finds the old one or the new one, whole. Raises `OSError`."""
    path = path_of(history)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(msgspec.json.encode(progress) + b"\n")
    draft.replace(path)


def read(history: Path) -> Progress | None:
    """What was kept, None when there is nothing. Raises `Unanswerable` when it is of another file, or damaged."""
    path = path_of(history)
    try:
        progress = msgspec.json.decode(path.read_bytes(), type=Progress)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as broken:
        raise Unanswerable(
            f"--resume: `{path}` is no progress of an import; remove it to begin with the first line"
        ) from broken
    with history.open("rb") as file:
        first = digest(file.readline())
    if history.stat().st_size < progress.offset or first != progress.first_line:
        what = "is shorter than what was imported" if first == progress.first_line else "begins with another line"
    elif before(history, progress.offset) != progress.before:
        what = f"was changed before line {progress.line + 1}"
    else:
        return progress
    raise Unanswerable(
        f"--resume: `{path}` is of another file: `{history}` {what}; remove the first to begin with the first line"
    )
