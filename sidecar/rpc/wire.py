"""Protobuf's wire form where we join bytes ourselves: varints and length-delimited fields.

Source: https://protobuf.dev/programming-guides/encoding. Used to put serialised pieces together without a second
serialisation, and to find the one field of a request that is nested too deep to be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

LENGTH_DELIMITED: Final = 2
_FIXED_BYTES: Final = {1: 8, 5: 4}
_MORE: Final = 0x80
"""The bit that says that another byte of the varint follows; the other seven are its digits."""
_DIGITS: Final = 0x7F
_VARINT_BITS_MAX: Final = 64
_SHORT_END: Final = 2_048
_SHORT: Final = tuple(
    bytes((number,)) if number < _MORE else bytes((number & _DIGITS | _MORE, number >> 7))
    for number in range(_SHORT_END)
)
"""Varints made ahead: the lengths of nearly all that is joined here."""


def varint(number: int) -> bytes:
    """A number ≥ 0 in base 128, lowest first."""
    if number < _SHORT_END:
        return _SHORT[number]
    parts = bytearray()
    while number >= _MORE:
        parts.append(number & _DIGITS | _MORE)
        number >>= 7
    parts.append(number)
    return bytes(parts)


class Heads(dict[int, bytes]):
    """What stands before the payload of a length-delimited field, by the payload's length: its tag, and that length.

    Short ones are kept, which are nearly all: a look-up instead of a call.
    """

    def __init__(self, tag_bytes: bytes) -> None:
        super().__init__()
        self._tag = tag_bytes

    def __missing__(self, length: int) -> bytes:
        head = self._tag + varint(length)
        if length < _SHORT_END:
            self[length] = head
        return head


def tag(field_number: int) -> bytes:
    """The tag of a length-delimited field."""
    return varint(field_number << 3 | LENGTH_DELIMITED)


def field(tag_bytes: bytes, payload: bytes) -> bytes:
    """A length-delimited field: tag, length, payload."""
    length = len(payload)
    return tag_bytes + (_SHORT[length] if length < _SHORT_END else varint(length)) + payload


def alone(tag_bytes: bytes, message: bytes) -> bytes | None:
    """What a message holds that is nothing but one length-delimited field, whose tag is one byte; None for others.

    For a look at what is nearly always so: None is no answer, as a long field gets it, too. `split` gives one.
    """
    size = len(message)
    # Why: a length has one byte up to 127, and two up to the end of the table; so no such message has 130 bytes.
    length = size - 2 if size < _MORE + 2 else size - 3 if size > _MORE + 2 else -1
    if 0 <= length < _SHORT_END and message.startswith(tag_bytes + _SHORT[length]):
        return message[size - length :]
    return None


def top_level_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a serialised message, each as (field number, its bytes with tag).

    Raises `ValueError` where the bytes are no message.
    """
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        at = _skipped(message, key, at)
        if at > len(message):
            raise ValueError(f"field at byte {start} runs past the end")
        yield key >> 3, message[start:at]


def split(message: bytes, field_number: int) -> tuple[list[bytes], bytes]:
    """What each occurrence of a length-delimited field holds, and the other fields as they stand.

    Raises `ValueError` where the bytes are no message.
    """
    wanted = field_number << 3 | LENGTH_DELIMITED
    found, others = [], []
    at, end = 0, len(message)
    while at < end:
        start = at
        key, at = _read_varint(message, at)
        if key == wanted:
            length, within = _read_varint(message, at)
            at = within + length
            found.append(message[within:at])
        else:
            at = _skipped(message, key, at)
            others.append(message[start:at])
        if at > end:
            raise ValueError(f"field at byte {start} runs past the end")
    return found, b"".join(others)


def count(message: bytes, field_number: int, most: int) -> int:
    """How often a length-delimited field is there; `most` when it is there so often or more often.

    Looks no further than that. Raises `ValueError` where the bytes that were looked at are no message.
    """
    wanted = field_number << 3 | LENGTH_DELIMITED
    found = at = 0
    end = len(message)
    while at < end and found < most:
        start = at
        if message[at] == wanted and at + 1 < end and message[at + 1] < _MORE:
            # Why apart: nearly all are so, and two calls for each would cost four times as much.
            key, at = wanted, at + 2 + message[at + 1]
        else:
            key, at = _read_varint(message, at)
            at = _skipped(message, key, at)
        if at > end:
            raise ValueError(f"field at byte {start} runs past the end")
        found += key == wanted
    return found


def inner_fields(message: bytes, field_number: int) -> Sequence[tuple[int, bytes] | None]:
    """For each occurrence of a field that holds a message: the one length-delimited field within, its number and bytes.

    None for an occurrence that holds anything else. For messages that are nothing but a choice of one of several, so
    that what was chosen can be kept as it came. Raises `ValueError` where the bytes are no message.
    """
    wanted = field_number << 3 | LENGTH_DELIMITED
    found: list[tuple[int, bytes] | None] = []
    at, end = 0, len(message)
    while at < end:
        key, at = _read_varint(message, at)
        if key != wanted:
            at = _skipped(message, key, at)
            continue
        length, at = _read_varint(message, at)
        stop = at + length
        inner, within = _read_varint(message, at) if length else (0, at)
        size, within = _read_varint(message, within) if inner & 7 == LENGTH_DELIMITED else (-1, within)
        found.append((inner >> 3, message[within:stop]) if within + size == stop else None)
        at = stop
    return found


def _skipped(message: bytes, key: int, at: int) -> int:
    """Where the field ends whose tag ends at a place."""
    wire_type = key & 7
    if wire_type == 0:
        return _read_varint(message, at)[1]
    if wire_type == LENGTH_DELIMITED:
        length, at = _read_varint(message, at)
        return at + length
    if wire_type in _FIXED_BYTES:
        return at + _FIXED_BYTES[wire_type]
    raise ValueError(f"wire type {wire_type} before byte {at}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    if at < len(message) and message[at] < _MORE:
        return message[at], at + 1
    number = shift = 0
    while at < len(message) and shift < _VARINT_BITS_MAX:
        byte = message[at]
        number |= (byte & _DIGITS) << shift
        at += 1
        if byte < _MORE:
            return number, at
        shift += 7
    raise ValueError(f"varint cut short at byte {at}")
