"""Replies are read once: what came before, less the id of its call, is known by its bytes."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from sidecar_client import _replies
from sidecar_client._stamps import new_id
from sidecar_client.pb import decision_pb2


def encoded(decision_id: str, flag_key: str = "a") -> bytes:
    response = decision_pb2.DecideResponse(revision="41", decision_id=decision_id)
    decision = response.decisions.add(flag_key=flag_key, variation_key="on")
    decision.variables["listed"].list_value.values.add(string_value="x")
    return response.SerializeToString()


def test_each_reply_has_the_id_of_its_own_call() -> None:
    ids = [new_id() for _ in range(3)]
    read = [_replies.decision(encoded(each), "a") for each in ids]
    assert [each.decision_id for each in read] == ids
    assert {(each.flag_key, each.variation_key, each.revision) for each in read} == {("a", "on", "41")}


def test_what_one_reader_changes_no_other_sees() -> None:
    first, second = (_replies.decision(encoded(new_id()), "a") for _ in range(2))
    listed = first.variables.json("listed")
    assert isinstance(listed, list)
    listed.append("y")
    assert (first.variables["listed"], second.variables["listed"]) == (["x"], ["x"])


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_id_is_read_as_it_was_written(decision_id: str, flag_key: str) -> None:
    for _ in range(2):
        read = _replies.decisions(encoded(decision_id, flag_key))
        assert (read.decision_id, list(read)) == (decision_id, [flag_key])


@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused_whatever_they_end_with(junk: bytes) -> None:
    reply = junk + encoded(new_id())
    try:
        wanted = _replies.decisions_of(decision_pb2.DecideResponse.FromString(reply))
    except DecodeError:
        with pytest.raises(DecodeError):
            _replies.decisions(reply)
    else:
        assert dict(_replies.decisions(reply)) == dict(wanted)


def test_what_is_known_is_bounded() -> None:
    for number in range(_replies._KNOWN_MAX + 10):
        _replies.decisions(encoded(new_id(), f"flag{number}"))
    assert len(_replies._KNOWN) <= _replies._KNOWN_MAX
