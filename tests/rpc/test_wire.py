"""Fields told apart without a parser: what is found, and what is no message."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.pb import decision_pb2
from sidecar.rpc import wire

USERS = 1
requests = st.builds(
    lambda users, keys, datafile: decision_pb2.DecideManyRequest(
        users=[decision_pb2.DecideManyUser(user_id=one) for one in users], flag_keys=keys, datafile=datafile
    ).SerializeToString(),
    st.lists(st.text(max_size=300), max_size=20),
    st.lists(st.text(max_size=5), max_size=5),
    st.text(max_size=5),
)


@given(requests, st.integers(0, 25))
def test_split_gives_what_a_parser_gives_and_count_how_many_up_to_the_most(request: bytes, most: int) -> None:
    parsed = decision_pb2.DecideManyRequest.FromString(request)
    found, others = wire.split(request, USERS)
    assert found == [one.SerializeToString() for one in parsed.users]
    parsed.ClearField("users")
    assert others == parsed.SerializeToString()
    assert wire.count(request, USERS, most) == min(most, len(found))


@given(st.binary(max_size=40) | requests.map(lambda one: one[:-1]))
def test_split_and_count_refuse_what_no_fields_can_be_told_apart_in(request: bytes) -> None:
    try:
        fields = list(wire.top_level_fields(request))
    except ValueError:
        for look in (lambda: wire.split(request, USERS), lambda: wire.count(request, USERS, 100)):
            with pytest.raises(ValueError, match="byte"):
                look()
    else:
        found, others = wire.split(request, USERS)
        assert others == b"".join(piece for _, piece in fields if piece not in _of_users(fields))
        assert len(found) == wire.count(request, USERS, 100) == len(_of_users(fields))


@given(st.integers(0, 2_100), st.integers(-2, 2))
@example(127, 1)
def test_alone_gives_a_field_whole_or_nothing(length: int, more: int) -> None:
    field = wire.field(b"\x0a", bytes(length))
    message = field + bytes(more) if more >= 0 else field[:more]
    found = wire.alone(b"\x0a", message)
    assert found in ((bytes(length), None) if more == 0 else (None,))
    assert found is not None or more or length >= 2_048


def test_count_looks_no_further_than_it_must() -> None:
    assert wire.count(b"\x0a\x00" * 3 + b"no message", USERS, 3) == 3


def _of_users(fields: list[tuple[int, bytes]]) -> list[bytes]:
    return [piece for number, piece in fields if number == USERS and piece[0] & 7 == wire.LENGTH_DELIMITED]
