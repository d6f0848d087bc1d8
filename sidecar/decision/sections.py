"""Finds the members of a large JSON object, so that each can be read by itself and no step takes long.

Only an optimisation: whatever is not as expected is left to who reads the whole in one step, which also says what is
wrong with it. Pure; knows JSON, and nothing of datafiles.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.values import Pause

_VALUE: Final = msgspec.json.Decoder(Raw)
_KEY: Final = msgspec.json.Decoder(str)
_BLANKS: Final = re.compile(rb"[ \t\r\n]*")
_REST: Final = re.compile(r"trailing characters \(byte (\d+)\)")
"""How msgspec says that more follows the first value of a text: the first byte of that, counted from 1."""


def members(body: bytes, pause: Pause) -> dict[str, memoryview] | None:
    """The values of a JSON object by key, as views of it; of two under one key the last.

    `pause` is called after each. None when the body is no JSON object, or is not certain to be one.
    """
    found: dict[str, memoryview] = {}
    view = memoryview(body)
    at, separator = _after_blanks(body, 0), b"{"
    while separator != b"}":
        key_ends = _value_ends(view, at + 1)
        if body[at : at + 1] != separator or body[key_ends : key_ends + 1] != b":":
            return None
        ends = _value_ends(view, key_ends + 1)
        try:
            found[_KEY.decode(view[at + 1 : key_ends])] = view[key_ends + 1 : ends]
        except msgspec.DecodeError:
            return None
        pause()
        at, separator = ends, b"}" if body[ends : ends + 1] == b"}" else b","
    return found if _after_blanks(body, at + 1) == len(body) else None


def _value_ends(view: memoryview, start: int) -> int:
    """Where what follows the value that begins at `start` begins; the end of the view when nothing does.

    One step, as long as the value is large; what is no value ends at the end of the view too.
    """
    try:
        _VALUE.decode(view[start:])
    except msgspec.DecodeError as error:
        rest = _REST.search(str(error))
        if rest is not None:
            return start + int(rest[1]) - 1
    return len(view)


def _after_blanks(body: bytes, start: int) -> int:
    blanks = _BLANKS.match(body, start)
    return start if blanks is None else blanks.end()
