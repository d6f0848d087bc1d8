"""Plain requests are read as they would be parsed and checked, and no other request is read at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from sidecar import limits
from sidecar.errors import RequestInvalid, RequestMalformed
from sidecar.pb import decision_pb2, event_pb2, tracking_pb2, value_pb2
from sidecar.rpc import plain
from sidecar.rpc.calls import TRACK, check
from sidecar.rpc.requests import Violations, check_flag_keys, check_id, parse
from sidecar.rpc.users import read_user
from sidecar.values import Value
from tests.support.served import values

reader = pytest.importorskip("sidecar.transport.native.plain", reason="the codec is not built").reader
decide, track = plain.decide_reader(reader), plain.track_reader(reader)

texts = st.text(max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
maps: st.SearchStrategy[Mapping[str, Value]] = st.dictionaries(texts, scalars, max_size=4)
any_maps: st.SearchStrategy[Mapping[str, Any]] = st.dictionaries(
    texts, scalars | st.floats() | st.lists(scalars, max_size=2), max_size=3
)
instants = st.builds(Timestamp, seconds=st.integers(-(2**40), 2**40), nanos=st.integers(0, 999_999_999))


def decided(request: bytes) -> tuple[Any, ...] | None:
    """What parsing and checking make of a DecideRequest; None when it is refused."""
    violations = Violations()
    try:
        message = parse(decision_pb2.DecideRequest, request, violations)
        user = read_user(message, violations)
        check_id(message.decision_id, "decision_id", violations)
        check_flag_keys(message.flag_keys, violations)
        violations.raise_if_any()
    except (RequestInvalid, RequestMalformed):
        return None
    return user.user_id, user.attributes, list(message.flag_keys), message.decision_id, message.datafile


def tracked(request: bytes) -> tuple[Any, ...] | None:
    """The same of a TrackRequest."""
    violations = Violations()
    try:
        message = parse(tracking_pb2.TrackRequest, request, violations)
        found = check(TRACK, TRACK.maps, message, violations)
        violations.raise_if_any()
    except (RequestInvalid, RequestMalformed):
        return None
    read: list[Any] = []
    for field in message.DESCRIPTOR.fields:
        if field.name in found:
            read.append(found[field.name])
        elif field.name == "timestamp":
            read.append(message.timestamp.ToMilliseconds() if message.HasField("timestamp") else None)
        elif field.name != "revenue":
            read.append(getattr(message, field.name))
    return tuple(read)


def exactly(value: Any) -> Any:
    """Comparable: with the type of each scalar, and NaN equal to itself."""
    if isinstance(value, dict):
        return {key: exactly(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [exactly(one) for one in value]
    return type(value), repr(value)


def a_decide(**fields: Any) -> bytes:
    return decision_pb2.DecideRequest(**{"user_id": "u", **fields}).SerializeToString()


def a_track(**fields: Any) -> bytes:
    return tracking_pb2.TrackRequest(**{"user_id": "u", "event_key": "k", **fields}).SerializeToString()


@given(
    user_id=texts.filter(bool),
    attributes=maps,
    flag_keys=st.lists(texts, max_size=3),
    decision_id=texts,
    datafile=texts,
)
def test_a_plain_decide_is_read_as_it_would_be_parsed(attributes: Mapping[str, Value], **fields: Any) -> None:
    request = a_decide(attributes=values(attributes), **fields)
    read = decide(request)
    assert exactly(read) == exactly(decided(request))
    assert read is not None


@given(
    texts_=st.fixed_dictionaries({"user_id": texts.filter(bool), "anonymous_id": texts, "datafile": texts}),
    event_id=texts,
    timestamp=st.none() | instants,
    maps_=st.fixed_dictionaries(dict.fromkeys(TRACK.maps, maps)),
)
def test_a_plain_track_is_read_as_it_would_be_parsed(
    texts_: dict[str, str], event_id: str, timestamp: Timestamp | None, maps_: Mapping[str, Mapping[str, Value]]
) -> None:
    found = {name: values(one) for name, one in maps_.items()}
    request = a_track(event_id=event_id, timestamp=timestamp, **texts_, **found)
    wanted = tracked(request)
    # An instant beyond the year 9999 is refused, and so not plain.
    assert exactly(track(request)) == exactly(wanted)


@given(
    kind=st.sampled_from(("decide", "track")),
    attributes=any_maps,
    cut=st.integers(0, 200),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
)
def test_of_any_bytes_the_reader_gives_what_parsing_does_or_nothing(
    kind: str, attributes: Mapping[str, Any], cut: int, flips: list[tuple[int, int]]
) -> None:
    make, read, parsed = (a_decide, decide, decided) if kind == "decide" else (a_track, track, tracked)
    damaged = bytearray(make(attributes=values(attributes)))
    for at, byte in flips:
        damaged[at % len(damaged)] = byte
    request = bytes(damaged[: len(damaged) - cut] if cut < len(damaged) and cut % 3 == 0 else damaged)
    found = read(request)
    if found is not None and found[0] and (kind == "decide" or found[2]):
        assert exactly(found) == exactly(parsed(request))


@pytest.mark.parametrize(
    ("read", "request_"),
    [
        (decide, a_decide(options=[decision_pb2.DECIDE_OPTION_INCLUDE_REASONS])),
        (decide, a_decide(attributes={"nan": value_pb2.Value(double_value=float("nan"))})),
        (decide, a_decide(attributes={"infinite": value_pb2.Value(double_value=float("inf"))})),
        (decide, a_decide(qualified_segments=decision_pb2.QualifiedSegments())),
        (decide, a_decide(attributes={"list": value_pb2.Value(list_value=value_pb2.ValueList())})),
        (decide, a_decide(attributes={"k" * (limits.KEY_BYTES_MAX + 1): value_pb2.Value(bool_value=True)})),
        (decide, a_decide(decision_id="d" * (limits.EVENT_ID_CHARACTERS_MAX + 1))),
        (decide, a_decide(flag_keys=["f"] * (limits.FLAG_KEYS_MAX + 1))),
        (decide, a_decide(attributes={str(at): value_pb2.Value() for at in range(limits.ATTRIBUTES_MAX + 1)})),
        (track, a_track(revenue=event_pb2.Money(amount="1", currency="USD"))),
        (track, a_track(timestamp=Timestamp(seconds=2**40))),
        (track, a_track(timestamp=Timestamp(nanos=-1))),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(read: plain.Read, request_: bytes) -> None:
    assert read(request_) is None


def test_of_a_field_that_is_there_twice_the_last_counts_or_nothing_is_read() -> None:
    twice = a_decide(user_id="first") + a_decide(user_id="second")
    assert decide(twice) == decided(twice)


def test_every_field_that_the_handlers_read_is_in_the_contract() -> None:
    contract: tuple[type[Message], ...] = (decision_pb2.DecideRequest, tracking_pb2.TrackRequest)
    assert all(field.number < 64 for message in contract for field in message.DESCRIPTOR.fields)
