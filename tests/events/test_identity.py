"""Derived ids: the same on every run, machine and version."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.events.identity import NAMESPACE, event_uuid, impression_id

OURS = uuid.UUID(NAMESPACE)
KEYS = st.text(max_size=30)


@given(st.text(max_size=100))
def test_an_id_that_is_no_uuid_becomes_its_uuid5(event_id: str) -> None:
    assert event_uuid(f"x{event_id}") == str(uuid.uuid5(OURS, f"x{event_id}"))


@pytest.mark.parametrize(
    "event_id", ["3f6b1c1e-0a52-4a0e-9d5b-6a8f0f1c2d3e", "3F6B1C1E-0A52-4A0E-9D5B-6A8F0F1C2D3E", str(uuid.UUID(int=0))]
)
def test_a_uuid_stays_as_it_is(event_id: str) -> None:
    assert event_uuid(event_id) == event_id


@pytest.mark.parametrize(
    "event_id",
    [
        "3f6b1c1e0a524a0e9d5b6a8f0f1c2d3e",
        "{3f6b1c1e-0a52-4a0e-9d5b-6a8f0f1c2d3e}",
        "3f6b1c1e-0a52-4a0e-9d5b-6a8f0f1c2d3e\n",
        "",
    ],
)
def test_another_spelling_of_a_uuid_is_no_uuid(event_id: str) -> None:
    assert event_uuid(event_id) == str(uuid.uuid5(OURS, event_id))


def test_an_impression_is_named_in_the_namespace_of_its_decision() -> None:
    decision_id = "3f6b1c1e-0a52-4a0e-9d5b-6a8f0f1c2d3e"
    wanted = str(uuid.uuid5(uuid.UUID(decision_id), "checkout/exp_a/feature-test"))
    assert impression_id(decision_id, "checkout", "exp_a", "feature-test") == wanted


def test_a_decision_id_that_is_no_uuid_is_made_one_first() -> None:
    wanted = str(uuid.uuid5(uuid.uuid5(OURS, "d-1"), "checkout//rollout"))
    assert impression_id("d-1", "checkout", "", "rollout") == wanted


@given(st.tuples(KEYS, KEYS, KEYS), st.tuples(KEYS, KEYS, KEYS))
def test_two_places_never_share_an_id(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (impression_id("d", *one) == impression_id("d", *other)) == (one == other)


def test_slashes_in_keys_do_not_confuse_places() -> None:
    assert impression_id("d", "a/b", "c", "x") != impression_id("d", "a", "b/c", "x")
    assert impression_id("d", "a/b", "c", "x") != impression_id("d", "a%2Fb", "c", "x")
