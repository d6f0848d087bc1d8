"""Values survive the wire as they are, at every bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from sidecar import limits
from sidecar.pb import decision_pb2, tracking_pb2, value_pb2


def nested_map(depth: int) -> value_pb2.Value:
    value = value_pb2.Value(int_value=1)
    for _ in range(depth):
        value = value_pb2.Value(map_value=value_pb2.ValueMap(fields={"k": value}))
    return value


def deepest_import(value: value_pb2.Value) -> Message:
    track = tracking_pb2.TrackRequest(properties={"p": value})
    return tracking_pb2.ImportRequest(events=[tracking_pb2.ImportEvent(track=track)])


def deepest_stream_message(value: value_pb2.Value) -> Message:
    return decision_pb2.DecideStreamRequest(decide=decision_pb2.DecideRequest(attributes={"a": value}))


def deepest_batch_of_decisions(value: value_pb2.Value) -> Message:
    decided = decision_pb2.DecideResponse(decisions=[decision_pb2.Decision(variables={"v": value})])
    return decision_pb2.DecideManyResponse(results=[decision_pb2.DecideManyResult(decided=decided)])


def test_an_integer_that_no_double_holds_survives() -> None:
    beyond_double = 2**53 + 1
    value = value_pb2.Value(int_value=beyond_double)
    assert value_pb2.Value.FromString(value.SerializeToString()).int_value == beyond_double


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_int64_survives(number: int) -> None:
    wire = value_pb2.Value(int_value=number).SerializeToString()
    assert value_pb2.Value.FromString(wire).int_value == number


@given(st.floats())
def test_every_double_survives_with_its_sign(number: float) -> None:
    back = value_pb2.Value.FromString(value_pb2.Value(double_value=number).SerializeToString()).double_value
    assert (
        math.isnan(back)
        if math.isnan(number)
        else (back, math.copysign(1, back))
        == (
            number,
            math.copysign(1, number),
        )
    )


@pytest.mark.parametrize(
    "value",
    [
        value_pb2.Value(null_value=value_pb2.NULL_VALUE_UNSPECIFIED),
        value_pb2.Value(bool_value=False),
        value_pb2.Value(int_value=0),
        value_pb2.Value(double_value=0.0),
        value_pb2.Value(string_value=""),
        value_pb2.Value(list_value=value_pb2.ValueList()),
        value_pb2.Value(map_value=value_pb2.ValueMap()),
    ],
    ids=lambda value: value.WhichOneof("kind"),
)
def test_an_empty_value_keeps_its_kind(value: value_pb2.Value) -> None:
    back = value_pb2.Value.FromString(value.SerializeToString())
    assert back.WhichOneof("kind") == value.WhichOneof("kind") is not None


@pytest.mark.parametrize(
    ("wrap", "depth"),
    [
        (deepest_import, limits.DEPTH_MAX),
        (deepest_stream_message, limits.DEPTH_MAX),
        (deepest_batch_of_decisions, limits.DEPTH_MAX - 1),
    ],
)
def test_the_deepest_value_allowed_is_within_what_parsers_take(
    wrap: Callable[[value_pb2.Value], Message], depth: int
) -> None:
    message = wrap(nested_map(depth))
    assert type(message).FromString(message.SerializeToString()) == message
