"""Values of Python on the wire: exact both ways, and every mistake named by its path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_client._encoding import put_all, value_of
from sidecar_client._identity import Identity
from sidecar_client.pb import decision_pb2

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


def over_the_wire(values: Mapping[str, object]) -> dict[str, Any]:
    request = decision_pb2.DecideRequest()
    put_all(request.attributes, values, "attributes")
    received = decision_pb2.DecideRequest.FromString(request.SerializeToString())
    return {key: value_of(value) for key, value in received.attributes.items()}


def typed(value: object) -> object:
    """A value with the type of each part, since True == 1 == 1.0."""
    if isinstance(value, dict):
        return {key: typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return type(value), value


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_every_value_survives_the_wire_with_its_type(values: dict[str, Any]) -> None:
    assert typed(over_the_wire(values)) == typed(values)


class Plan(StrEnum):
    FREE = "free"


class Level(IntEnum):
    HIGH = 3


def test_enums_and_tuples_go_as_what_they_are() -> None:
    assert over_the_wire({"plan": Plan.FREE, "level": Level.HIGH, "pair": (1, "a")}) == {
        "plan": "free",
        "level": 3,
        "pair": [1, "a"],
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal("1.5"), r"attributes\[price\] is Decimal, wanted .*; money goes into `revenue`"),
        (datetime(2024, 1, 1, tzinfo=UTC), r"attributes\[price\] is datetime, wanted"),
        (b"x", r"attributes\[price\] is bytes, wanted"),
        ({1, 2}, r"attributes\[price\] is set, wanted"),
        ([{"a": [0, object()]}], r"attributes\[price\]\[0\]\[a\]\[1\] is object, wanted"),
        ({"a": {1: 2}}, r"attributes\[price\]\[a\] has a key of type int `1`, wanted str"),
    ],
)
def test_type_without_a_wire_form_is_named_by_its_path(value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        over_the_wire({"fine": 1, "price": value})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2**63, r"attributes\[n\] is `9223372036854775808`, wanted an int within int64"),
        (-(2**63) - 1, "wanted an int within int64"),
        ("\ud800", r"attributes\[n\] is text with a lone surrogate"),
        ({"\ud800": 1}, r"attributes\[n\] has a key that is no Unicode text"),
    ],
)
def test_value_out_of_range_is_named_by_its_path(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        over_the_wire({"n": value})


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_of_32_passes_and_33_does_not() -> None:
    assert over_the_wire({"deep": nested(32)}) == {"deep": nested(32)}
    with pytest.raises(ValueError, match="is nested deeper than 32 levels"):
        over_the_wire({"deep": nested(33)})


def test_value_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="is nested deeper than 32 levels"):
        over_the_wire({"deep": endless})


def test_later_change_of_the_attributes_does_not_reach_the_handle() -> None:
    attributes: dict[str, object] = {"a": 1}
    identity = Identity(user_id="u1", attributes=attributes)
    attributes["b"] = 2
    assert identity.attributes == {"a": 1}


@pytest.mark.parametrize(
    ("user_id", "error", "message"),
    [
        (5, TypeError, "user_id is int `5`, wanted str"),
        ("\ud800", ValueError, "user_id is text with a lone surrogate"),
    ],
)
def test_user_id_that_is_no_text_is_refused(user_id: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Identity(user_id=user_id)
