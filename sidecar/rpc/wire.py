"""Protobuf's wire form where we join bytes ourselves: varints and length-delimited fields.

Source: https://protobuf.dev/programming-guides/encoding. Used to put serialised pieces together without a second
serialisation, and to find the one field of a request that is nested too deep to be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

LENGTH_DELIMITED: Final = 2
_FIXED_BYTES: Final = {1: 8, 5: 4}
_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))


def varint(number: int) -> bytes:
    """A number ≥ 0 in base 128, lowest first."""
    if number < 128:
        return _ONE_BYTE[number]
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def tag(field_number: int) -> bytes:
    """The tag of a length-delimited field."""
    return varint(field_number << 3 | LENGTH_DELIMITED)


def field(tag_bytes: bytes, payload: bytes) -> bytes:
    """A length-delimited field: tag, length, payload."""
    return b"".join((tag_bytes, varint(len(payload)), payload))


def top_level_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a serialised message, each as (field number, its bytes with tag).

    Raises `ValueError` where the bytes are no message.
    """
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        wire_type = key & 7
        if wire_type == 0:
            _, at = _read_varint(message, at)
        elif wire_type == LENGTH_DELIMITED:
            length, at = _read_varint(message, at)
            at += length
        elif wire_type in _FIXED_BYTES:
            at += _FIXED_BYTES[wire_type]
        else:
            raise ValueError(f"wire type {wire_type} at byte {start}")
        if at > len(message):
            raise ValueError(f"field at byte {start} runs past the end")
        yield key >> 3, message[start:at]


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
        shift += 7
    raise ValueError(f"varint cut short at byte {at}")
