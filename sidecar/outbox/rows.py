"""How values become columns of the outbox and back: routes, outcomes, ids, and statements of many rows.

Pure but for its bounded caches. The tables are in `schema.py`. A statement handles many rows in one step,
because sqlite3 gives up the GIL and takes it again at each step: row by row, a busy event loop would stall
every commit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, TypeVar

from sidecar.limits import EVENT_OVERHEAD_BYTES
from sidecar.values import Outcome, OutcomeState

ROWS_PER_STATEMENT: Final = 64
"""Rows of the longest INSERT; with nine columns it stays under SQLite's oldest bound of 999 parameters."""

_STATEMENT_SIZES: Final = (ROWS_PER_STATEMENT, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)
"""Rows of the INSERTs that are kept prepared. Why not any number: SQLite keeps what was last bound to each of them."""

Item = TypeVar("Item")

_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
"""In lower case only: another spelling is another id."""

DIGEST_BYTES: Final = 16
_DIGESTS: Final = 1 << 8 * DIGEST_BYTES
_SPREAD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""2^128 by the golden ratio, made odd: products with it are spread evenly, also of numbers that are close together.
Source: Knuth, The Art of Computer Programming, volume 3, section 6.4."""

_ID_BYTES: Final = 4
_LENGTH_BYTES: Final = 2


class Target(NamedTuple):
    """One destination of a record: `mask` has a bit per event index, `events` is how many are set."""

    destination_id: int
    mask: int
    events: int


def event_bytes(body_bytes: int, event_count: int) -> int:
    """The stored size of one event of a record: its part of the body, rounded up, and what a row costs.

    The sum over a record is at least its body, so that a bound on events is a bound on what bodies take.
    """
    return -(-body_bytes // event_count) + EVENT_OVERHEAD_BYTES


def pack_id(destination_id: int) -> bytes:
    """A destination id as it stands in packed routes; `instr(routes, …)` finds it, now and then by chance."""
    return destination_id.to_bytes(_ID_BYTES, "little")


def pack_routes(targets: Iterable[Target]) -> bytes:
    """Per destination: its id, the length of the mask, the mask; all little-endian."""
    parts = []
    for target in targets:
        mask = target.mask.to_bytes((target.mask.bit_length() + 7) // 8, "little")
        parts.append(pack_id(target.destination_id) + len(mask).to_bytes(_LENGTH_BYTES, "little") + mask)
    return b"".join(parts)


@lru_cache(maxsize=4096)
def unpack_routes(packed_hex: str) -> tuple[Target, ...]:
    """Packed routes in hexadecimal, as one SELECT returns them for many rows."""
    packed, targets, at = bytes.fromhex(packed_hex), [], 0
    while at < len(packed):
        destination_id = int.from_bytes(packed[at : at + _ID_BYTES], "little")
        at += _ID_BYTES
        length = int.from_bytes(packed[at : at + _LENGTH_BYTES], "little")
        at += _LENGTH_BYTES
        mask = int.from_bytes(packed[at : at + length], "little")
        at += length
        targets.append(Target(destination_id, mask, mask.bit_count()))
    return tuple(targets)


@lru_cache(maxsize=4096)
def indexes_of(mask: int) -> tuple[int, ...]:
    """The set bits of a mask, ascending."""
    return tuple(index for index in range(mask.bit_length()) if mask >> index & 1)


def digest_of(event_id: str) -> bytes:
    """What is kept of an id that a caller chose: 16 bytes instead of up to 100 characters, spread evenly.

    Two UUIDs never have the same. Another id has that of a given one with a chance of 2^-128.
    """
    if _UUID.fullmatch(event_id):
        return (int(event_id.replace("-", ""), 16) * _SPREAD % _DIGESTS).to_bytes(DIGEST_BYTES, "big")
    return spread(blake2b(event_id.encode(), digest_size=DIGEST_BYTES).digest())


def spread(digest: bytes) -> bytes:
    """A digest as version 1 of the tables kept it, a UUID as it was, to one of today. Each has its own."""
    return (int.from_bytes(digest, "big") * _SPREAD % _DIGESTS).to_bytes(DIGEST_BYTES, "big")


@lru_cache(maxsize=1024)
def pack_outcomes(outcomes: tuple[Outcome, ...]) -> str:
    """Outcomes as JSON: a name is QUEUED there without a reason, a list is [name, state, reason]."""
    return json.dumps(
        [
            outcome.destination
            if outcome.state is OutcomeState.QUEUED and not outcome.reason
            else [outcome.destination, outcome.state.value, outcome.reason]
            for outcome in outcomes
        ],
        separators=(",", ":"),
    )


@lru_cache(maxsize=1024)
def unpack_outcomes(packed: str) -> tuple[Outcome, ...]:
    """The other way; equal text gives the same object."""
    return tuple(
        Outcome(entry, OutcomeState.QUEUED)
        if isinstance(entry, str)
        else Outcome(entry[0], OutcomeState(entry[1]), entry[2])
        for entry in json.loads(packed)
    )


@lru_cache(maxsize=4 * ROWS_PER_STATEMENT)
def values_sql(head: str, columns: int, rows: int) -> str:
    """`head` with a VALUES list of that many rows of that many parameters."""
    row = "(" + ",".join("?" * columns) + ")"
    return head + " VALUES " + ",".join([row] * rows)


@lru_cache(maxsize=4 * ROWS_PER_STATEMENT)
def in_sql(head: str, count: int) -> str:
    """`head` with an IN list of that many parameters."""
    return f"{head} IN ({','.join('?' * count)})"


def statement_chunks(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    """Slices in order, as few as make all of them as long as one of the INSERTs that are kept prepared."""
    start = 0
    while left := len(items) - start:
        size = next(size for size in _STATEMENT_SIZES if size <= left)
        yield items[start : start + size]
        start += size


def chunks(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Slices of at most `size` items, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))
