"""Values that every layer speaks: what an attribute may hold, money, and what became of an event.

Nothing here reads a clock, a file or a wire. The wire forms are in `rpc/` (protobuf) and `events/` (JSON).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias

from msgspec import Struct

Value: TypeAlias = "None | bool | int | float | str | list[Value] | dict[str, Value]"
"""One attribute, tag, property, trait or variable, as the native type of the language.

Integers are int64 on the wire and exact here; a bool is never a number.
"""

Pause: TypeAlias = Callable[[], None]
"""Called between two steps of long pure work, so that whoever gave it can let others run meanwhile."""

PIECE_BYTES: Final = 128 * 1024
"""What is hashed, packed, read or written of a large body at a time: less than half a millisecond of each."""

Scalar: TypeAlias = bool | int | float | str
"""What a condition can compare and what Optimizely takes as an attribute."""


class OutcomeState(StrEnum):
    """What an accepted call means for one destination."""

    QUEUED = "QUEUED"
    SKIPPED = "SKIPPED"


class Outcome(Struct, frozen=True):
    """What became of one event at one destination, said in the reply to the call that brought it.

    `reason` is empty when all of the event is queued; else an upper-case word and, after a colon, what was left
    out: `EVENT_KEY_NOT_FOUND`, `TOO_LARGE`, `TAGS_NOT_SENT: products`.
    """

    destination: str
    state: OutcomeState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in major units (dollars, not cents) and its ISO 4217 code, upper case."""

    amount: Decimal
    currency: str


def shortened(key: str) -> str:
    """A key as logs and status may show it: its first four characters, of a short one a third."""
    return f"{key[: min(4, len(key) // 3)]}…" if key else ""


def no_pause() -> None:
    """The `Pause` of work that nobody waits for."""


def in_pieces(body: bytes, pause: Pause) -> Iterator[memoryview]:
    """A large body in pieces of `PIECE_BYTES`, the last may be shorter, with a pause after each.

    Why: also what gives the interpreter lock away (hashing, packing, writing) keeps the core for as long as it takes.
    """
    view = memoryview(body)
    for start in range(0, len(view), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]
        pause()


def content_hash(body: bytes, pause: Pause = no_pause) -> str:
    """SHA-256 of a body in hex: what "the same datafile" means, whatever its revision says."""
    hashed = sha256()
    for piece in in_pieces(body, pause):
        hashed.update(piece)
    return hashed.hexdigest()
