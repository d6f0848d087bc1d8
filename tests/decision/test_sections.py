"""A large object's members one by one: the same as the whole in one step, or None."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.decision import load, parsing
from sidecar.decision.sections import members
from sidecar.errors import DatafileRejected
from sidecar.values import no_pause
from tests.decision.building import document, flag

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 0, 2]), st.booleans())
def test_members_are_those_of_the_object(whole: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = f" {json.dumps(whole, indent=indent, ensure_ascii=ascii_only)}\n".encode("utf-8", "surrogatepass")
    found = members(body, no_pause)
    # The empty object is left to who reads it whole.
    assert (found is not None) == bool(whole)
    assert {key: json.loads(bytes(value)) for key, value in (found or {}).items()} == whole


def test_members_are_found_where_msgspec_says_that_more_follows() -> None:
    pauses = []
    found = members(b'{"a": [1, {"b": "}"}] , "c\\u0064": -2.5e3,"e":null}', lambda: pauses.append(1))
    assert found is not None
    assert {key: bytes(value).strip() for key, value in found.items()} == {
        "a": b'[1, {"b": "}"}]',
        "cd": b"-2.5e3",
        "e": b"null",
    }
    assert len(pauses) == 3


def test_of_two_members_with_one_key_the_last_is_found() -> None:
    found = members(b'{"a": 1, "a": 2}', no_pause)
    assert found is not None
    assert bytes(found["a"]) == b" 2"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"a" 1}',
        b'{"a": 1,}',
        b'{"a": 1} x',
        b'{"a": 1',
        b'{"a": }',
        b"{1: 2}",
        b'["a": 1}',
    ],
)
def test_what_is_no_object_has_no_members(body: bytes) -> None:
    assert members(body, no_pause) is None


def large(**changes: Any) -> bytes:
    flags = [flag(f"flag_{number}") for number in range(200)]
    return json.dumps(document(featureFlags=flags, experiments=None, botFiltering=True, **changes)).encode()


def test_a_datafile_means_the_same_read_by_section(monkeypatch: pytest.MonkeyPatch) -> None:
    body = large(revision="7", unknown={"featureFlags": [1]})
    whole = load(body)
    monkeypatch.setattr(parsing, "SECTIONS_BYTES_MIN", 0)
    monkeypatch.setattr(parsing, "_HEADER", OnlySmall(parsing._HEADER))
    apart = load(body)
    assert (apart.revision, apart.bot_filtering, list(apart.flags)) == ("7", True, list(whole.flags))
    assert len(apart.flags) == 200


@pytest.mark.parametrize("change", [{"featureFlags": {}}, {"anonymizeIP": "no"}, {"version": "5"}, {"audiences": 3}])
def test_a_rejection_says_the_same_read_by_section(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    body = json.dumps({**json.loads(large()), **change}).encode()
    with pytest.raises(DatafileRejected) as whole:
        load(body)
    monkeypatch.setattr(parsing, "SECTIONS_BYTES_MIN", 0)
    with pytest.raises(DatafileRejected) as apart:
        load(body)
    assert str(apart.value) == str(whole.value)


class OnlySmall:
    """The decoder of the header, that fails the test when it is given a body with its sections."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def decode(self, body: bytes) -> Any:
        assert b"featureFlags" not in body.replace(b'{"featureFlags": [1]}', b"")
        return self._decoder.decode(body)
