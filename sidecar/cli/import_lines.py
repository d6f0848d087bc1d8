"""One line of a history → an event to send: our own JSON event, or what Segment's libraries and exports write.

Every number is kept exactly or the line is refused; nothing is guessed. The forms: docs/import.md "Lines".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NoReturn

from sidecar.client.importing import Draft
from sidecar.config import suggestion
from sidecar.values import Value

KINDS: Final = ("track", "identify", "page", "screen", "group", "alias")

_INT64: Final = range(-(2**63), 2**63)
_DIGITS_MAX: Final = 400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)")

_TEXTS: Final = frozenset(
    ("user_id", "anonymous_id", "event_id", "datafile", "event_key", "name", "category", "group_id", "previous_id")
)
_MAPS: Final = frozenset(("attributes", "event_tags", "properties", "traits", "context", "integrations"))
_COMMON: Final = frozenset(("user_id", "anonymous_id", "event_id", "datafile", "context", "integrations", "time"))
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "track": _COMMON | {"event_key", "attributes", "event_tags", "properties", "revenue"},
    "identify": _COMMON | {"traits"},
    "page": _COMMON | {"name", "category", "properties"},
    "screen": _COMMON | {"name", "category", "properties"},
    "group": _COMMON | {"group_id", "traits"},
    "alias": _COMMON | {"previous_id"},
}
_STAMPS: Final = frozenset(("schema_version", "kind", "received_time", "historical", "project"))
"""What our JSON event says of its acceptance, which this import makes anew."""

_SEGMENT: Final[Mapping[str, str]] = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "messageId": "event_id",
    "timestamp": "time",
    "event": "event_key",
    "name": "name",
    "category": "category",
    "groupId": "group_id",
    "previousId": "previous_id",
    "properties": "properties",
    "traits": "traits",
    "context": "context",
    "integrations": "integrations",
}


class LineRefused(Exception):
    """A line that is no event; the message names the field, what was got and wanted."""


class LineReader:
    """Reads lines of one file, whose first line is a part of the ids that are derived.

    `left_out` counts fields of Segment's that the contract has no place for.
    """

    def __init__(self, first_line: bytes) -> None:
        self.left_out: Counter[str] = Counter()
        self._source = sha256(first_line).digest()

    def read(self, line: bytes, number: int) -> Draft:
        """The event of a line, numbered from 1. One without an id gets `derived_id`. Raises `LineRefused`."""
        said = _object(line)
        fields = self._segment(said) if "type" in said else _own(said)
        kind = fields.pop("kind")
        texts = {name: _text(name, value) for name, value in fields.items() if name in _TEXTS and value is not None}
        maps = {name: _map(name, value) for name, value in fields.items() if name in _MAPS and value is not None}
        texts.setdefault("event_id", "")
        texts["event_id"] = texts["event_id"] or derived_id(self._source, number, line)
        revenue, moment = fields.get("revenue"), fields.get("time")
        return Draft(
            kind=kind,
            texts=texts,
            maps=maps,
            time=None if moment is None else _instant(moment),
            revenue=None if revenue is None else _money(revenue),
        )

    def _segment(self, said: dict[str, Any]) -> dict[str, Any]:
        kind = said.pop("type")
        if kind not in KINDS:
            raise LineRefused(f"type: is `{str(kind)[:40]}`, wanted {_listed(KINDS)}")
        fields: dict[str, Any] = {"kind": kind}
        if "timestamp" not in said and "originalTimestamp" in said:
            said["timestamp"] = said.pop("originalTimestamp")
        for name, value in said.items():
            ours = _SEGMENT.get(name)
            if ours is None or ours not in _FIELDS[kind]:
                self.left_out[name] += 1
            else:
                # Why: libraries take a number for an id, and write it as such.
                whole = ours in ("user_id", "anonymous_id", "group_id", "previous_id") and type(value) is int
                fields[ours] = str(value) if whole else value
        return fields


def derived_id(source: bytes, number: int, line: bytes) -> str:
    """The id of an event that has none: a UUID of version 8, equal for an equal line at its place in an equal file.

    `source` is the digest of the file's first line. Source: RFC 9562 §5.8.
    """
    digest = sha256(line.strip()).hexdigest()
    place = f"{number & 0xFFFF_FFFF:08x}"
    return f"{source.hex()[:8]}-{place[:4]}-8{source.hex()[8:11]}-8{digest[:3]}-{place[4:]}{digest[3:11]}"


def _own(said: dict[str, Any]) -> dict[str, Any]:
    kind = said.get("kind")
    if kind is None:
        raise LineRefused("kind: is missing, wanted `kind` (or Segment's `type`)")
    if kind not in KINDS:
        raise LineRefused(f"kind: is `{str(kind)[:40]}`, wanted {_listed(KINDS)}")
    if said.get("schema_version", 1) != 1:
        raise LineRefused(f"schema_version: is {str(said['schema_version'])[:40]}, wanted 1")
    unknown = [name for name in said if name not in _FIELDS[kind] and name not in _STAMPS]
    if unknown:
        name = unknown[0]
        raise LineRefused(f"{name[:40]}: is no field of a {kind}{suggestion(name, sorted(_FIELDS[kind]))}")
    return {name: value for name, value in said.items() if name == "kind" or name not in _STAMPS}


def _object(line: bytes) -> dict[str, Any]:
    try:
        said = _DECODER.decode(line.decode())
    except UnicodeDecodeError as broken:
        raise LineRefused(f"line: is no UTF-8 at byte {broken.start}") from broken
    except RecursionError as broken:
        raise LineRefused("line: nests too deep") from broken
    except json.JSONDecodeError as broken:
        raise LineRefused(f"line: is no JSON at column {broken.colno}: {broken.msg.lower()}") from broken
    if not isinstance(said, dict):
        raise LineRefused(f"line: is a {type(said).__name__}, wanted an object")
    return said


def _whole(text: str) -> int:
    number = int(text) if len(text) <= _DIGITS_MAX else None
    if number is None or number not in _INT64:
        raise LineRefused(f"number `{text[:40]}`: is beyond 64 bits, wanted it as text, in quotes")
    return number


def _fraction(text: str) -> float:
    number = float(text)
    if len(text) > _DIGITS_MAX or Decimal(repr(number)) != Decimal(text):
        raise LineRefused(f"number `{text[:40]}`: has more digits than a double holds, wanted it as text, in quotes")
    return number


def _no_number(text: str) -> NoReturn:
    raise LineRefused(f"number `{text}`: is none in JSON")


_DECODER: Final = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_number)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise LineRefused(f"{name}: is a {type(value).__name__}, wanted text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise LineRefused(f"{name}: holds half of a surrogate pair, wanted text")
    return value


def _map(name: str, value: object) -> Mapping[str, Value]:
    if not isinstance(value, dict):
        raise LineRefused(f"{name}: is a {type(value).__name__}, wanted an object")
    return value


def _money(value: object) -> tuple[str, str]:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise LineRefused('revenue: wanted an object as {"amount": "19.90", "currency": "EUR"}')
    return _text("revenue.amount", value["amount"]), _text("revenue.currency", value["currency"])


def _instant(value: object) -> tuple[int, int]:
    """Seconds and nanoseconds of ISO 8601 with its zone."""
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        moment, fraction, zone = found.groups()
        try:
            at = datetime.fromisoformat(moment + ("+00:00" if zone in "Zz" else zone))
        except ValueError:
            pass
        else:
            seconds = (at - _EPOCH) // _SECOND
            return seconds, int((fraction or "").ljust(9, "0"))
    raise LineRefused(f"time: is `{str(value)[:40]}`, wanted ISO 8601 with its zone, as 2026-03-01T12:00:00.250Z")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"
