"""What the wire forms share: JSON, instants, whose `integrations`, and how large an event can become at most.

JSON has no NaN and no infinity: inside lists, maps, traits and properties they become null. Integers are
exact at any size, decimals are numbers. Rules: docs/events.md "JSON".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, get_args

import msgspec

from sidecar import __version__
from sidecar.events.model import Event, Origin
from sidecar.values import Money, Value

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
LIBRARY: Final[Mapping[str, str]] = {"name": "decision-sidecar", "version": __version__}
"""How we name ourselves on every wire."""
_SECONDS_KEPT: Final = 256
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# The longest JSON of one character is `\\u0007`; of a number, a double with sign, 17 digits and exponent.
_CHARACTER_BYTES_MAX: Final = 6
_NUMBER_BYTES_MAX: Final = 25

# The keys of a message and its context, quotes, instants, kind, library and project, with room.
_FRAME_BYTES: Final = 1_500
_FIELDS: Final = {kind: [name for name in kind.__struct_fields__ if name != "origin"] for kind in get_args(Event)}

_NAMES_MAX: Final = 8
_NAME_CHARACTERS_MAX: Final = 64


def encode(value: object) -> bytes:
    """JSON in UTF-8 without blanks. Raises `ValueError` when a string holds a lone surrogate."""
    return _ENCODER.encode(value)


def instant(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC: `2026-03-01T12:00:00.250Z`.

    Raises `ValueError` for years outside 1..9999.
    """
    time_s, milliseconds = divmod(time_ms, 1_000)
    try:
        second = _second(time_s)
    except OverflowError as error:
        raise ValueError(f"time is {time_ms} ms since 1970, wanted a year between 1 and 9999") from error
    return f"{second}.{milliseconds:03}Z"


@lru_cache(maxsize=_SECONDS_KEPT)
def _second(time_s: int) -> str:
    """A whole second; kept, because events of one batch are of a few of them."""
    return (_EPOCH + timedelta(seconds=time_s)).isoformat(timespec="seconds")[: -len("+00:00")]


def integrations_of(origin: Origin) -> Mapping[str, Value]:
    """The event's `integrations`: those of `context` hoisted, those at top level winning key by key."""
    inner = origin.context.get("integrations")
    return {**inner, **origin.integrations} if isinstance(inner, dict) else origin.integrations


def switched_off(origin: Origin, destination: str, *, by_all: bool, alias: str = "") -> bool:
    """Whether the event's `integrations` keep it from a destination of this name, names case-sensitive.

    `{name: false}` does, and `{alias: false}` where the name itself is not mentioned. `{"All": false}` does too where
    `by_all` is true and the name is not switched on.
    """
    if not origin.integrations and "integrations" not in origin.context:
        return False
    integrations = integrations_of(origin)
    wish = integrations.get(destination)
    if wish is None and alias:
        wish = integrations.get(alias)
    if wish is None and by_all:
        wish = integrations.get("All")
    return wish is False


def bytes_at_most(value: Value | Mapping[str, Value]) -> int:
    """An upper bound of the JSON of a value, cheaper than the JSON: few events need rendering to be sure."""
    if isinstance(value, str):
        return 2 + _CHARACTER_BYTES_MAX * len(value)
    if isinstance(value, Mapping):
        return 2 + sum(4 + _CHARACTER_BYTES_MAX * len(key) + bytes_at_most(value[key]) for key in value)
    if isinstance(value, list):
        return 2 + sum(1 + bytes_at_most(item) for item in value)
    return _NUMBER_BYTES_MAX


def event_bytes_at_most(event: Event) -> int:
    """An upper bound of an event as our JSON: its values and a frame of words and short ids."""
    origin = event.origin
    if origin.request_bytes:
        return sort_bytes_at_most(origin.request_bytes, origin.datafile)
    total = _FRAME_BYTES
    for text in (origin.event_id, origin.user_id, origin.anonymous_id, origin.datafile):
        total += bytes_at_most(text)
    for field in _FIELDS[type(event)]:
        value = getattr(event, field)
        total += len(str(value.amount)) if isinstance(value, Money) else bytes_at_most(value)
    return total + bytes_at_most(origin.context) + bytes_at_most(origin.integrations)


def sort_bytes_at_most(request_bytes: int, datafile: str) -> int:
    """An upper bound of an event as JSON whose request, ids included, takes so many bytes in protobuf.

    Rounded up to few values, so that events of about a size are alike. Why six a byte: a character of one byte may
    become six, and a number, a bool, a null or an empty list takes no more JSON than three times its bytes there.
    """
    return _FRAME_BYTES + _CHARACTER_BYTES_MAX * ((1 << request_bytes.bit_length()) + len(datafile))


def listed(word: str, names: list[str]) -> str:
    """`WORD: a, b`, bounded: eight names of 64 characters, then how many more."""
    shown = ", ".join(name[:_NAME_CHARACTERS_MAX] for name in names[:_NAMES_MAX])
    more = len(names) - _NAMES_MAX
    return f"{word}: {shown}" + (f" and {more} more" if more > 0 else "")
