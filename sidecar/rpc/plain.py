"""Requests that are plain, read in one step: texts, scalar values and instants alone, within every bound.

Most requests are. Where the codec's extension serves, it has a reader that gives of a plain request exactly what
parsing and checking it would, in a third of the time, and of any other nothing: then the way of `requests` is taken,
which also says what is wrong. So nothing is decided here twice, and without the extension nothing is missing. What
plain means: `native/src/plain.rs`; that both ways agree: tests/rpc/test_plain.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from google.protobuf.message import Message

from sidecar import limits
from sidecar.events.model import Origin, Track
from sidecar.pb import decision_pb2, tracking_pb2
from sidecar.ports import Ids

USER_ID, ANONYMOUS_ID, EVENT_KEY, EVENT_ID = 0, 1, 2, 6
"""Places of fields in what the reader of Tracks gives."""

PLAIN_BYTES_MAX: Final = limits.PLAIN_BYTES_MAX
"""What a reader is to be asked at most."""

TEXT: Final = 0
TEXTS: Final = 1
VALUES: Final = 2
INSTANT: Final = 3
"""What a field holds, as the reader numbers it."""

Read: TypeAlias = Callable[[bytes], "tuple[Any, ...] | None"]
"""From a request to the values of its fields, None when it is not plain."""


class MakesReader(Protocol):
    """Makes a reader of messages that have these fields alone: (number, what it holds, how much)."""

    def __call__(self, fields: Sequence[tuple[int, int, int]], *, key_bytes_max: int, value_bytes_max: int) -> Read:
        """Raises `ValueError` for numbers that are not each of 1 to 63 once."""
        ...


def never(_request: bytes) -> None:
    """The reader where there is none."""


def decide_reader(make: MakesReader) -> Read:
    """Gives (user_id, attributes, flag_keys, decision_id, datafile)."""
    names = ("user_id", "attributes", "flag_keys", "decision_id", "datafile")
    return _reader(make, decision_pb2.DecideRequest, names)


def track_reader(make: MakesReader) -> Read:
    """Gives every field of a TrackRequest but `revenue`, in order; `timestamp` in milliseconds, None when absent."""
    names = [field.name for field in tracking_pb2.TrackRequest.DESCRIPTOR.fields if field.name != "revenue"]
    return _reader(make, tracking_pb2.TrackRequest, names)


def plain_track(plain: tuple[Any, ...], received_ms: int, datafile: str, request_bytes: int, ids: Ids) -> Track:
    """The event of a plain Track; its id is made where the caller chose none."""
    user, anonymous, event_key, attributes, event_tags, properties, event_id, time_ms, context, integrations, _ = plain
    origin = Origin(
        event_id=event_id or ids.new(),
        time_ms=received_ms if time_ms is None else time_ms,
        received_ms=received_ms,
        user_id=user,
        anonymous_id=anonymous,
        datafile=datafile,
        context=context,
        integrations=integrations,
        request_bytes=request_bytes,
    )
    return Track(
        origin=origin, event_key=event_key, attributes=attributes, event_tags=event_tags, properties=properties
    )


def _reader(make: MakesReader, request: type[Message], names: Sequence[str]) -> Read:
    fields = [request.DESCRIPTOR.fields_by_name[name] for name in names]
    shape = [(field.number, kind := _kind(field), _MOST.get(field.name, _MOST_OF[kind])) for field in fields]
    return make(shape, key_bytes_max=limits.KEY_BYTES_MAX, value_bytes_max=limits.VALUE_BYTES_MAX)


def _kind(field: Any) -> int:  # noqa: ANN401 - its two implementations share no type
    if field.message_type is None:
        return TEXTS if field.is_repeated else TEXT
    return VALUES if field.message_type.GetOptions().map_entry else INSTANT


_MOST_OF: Final[Mapping[int, int]] = {
    TEXT: limits.VALUE_BYTES_MAX,
    TEXTS: limits.FLAG_KEYS_MAX,
    VALUES: limits.ATTRIBUTES_MAX,
    INSTANT: 1,
}
# A bound in characters is kept by as many bytes.
_MOST: Final = {"decision_id": limits.EVENT_ID_CHARACTERS_MAX, "event_id": limits.EVENT_ID_CHARACTERS_MAX}
