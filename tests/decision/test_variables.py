"""Typing of variables. Rules: docs/semantics.md V1 to V6."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.decision import Trace
from sidecar.values import Value
from tests.decision.building import build, flag, rule, somebody, variation


def typed(kind: str, text: str) -> Value:
    variables = [{"id": "k1", "key": "k", "type": kind, "defaultValue": text}]
    return build(featureFlags=[flag(variables=variables)]).decide(somebody(), "f").variables["k"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " +7 ", 7),
        ("integer", "-0009", -9),
        ("integer", str(2**63 - 1), 2**63 - 1),
        ("integer", str(2**63), None),
        ("integer", "0" * 6_000 + "1", 1),
        ("integer", "1_000", None),
        ("integer", "\u0667", None),
        ("double", "1e3", 1000.0),
        ("double", "1e999", None),
        ("double", "inf", None),
        ("double", "1_0.0", None),
        ("boolean", "true", True),
        ("boolean", " true", None),
        ("json", "[1, 2]", [1, 2]),
        ("json", '{"a": ' + str(2**70) + "}", {"a": float(2**70)}),
        ("json", "[" * 40 + "]" * 40, None),
        ("json", "null", None),
        ("colour", "red", "red"),
    ],
)
def test_a_value_is_typed_or_null(kind: str, text: str, value: Value) -> None:
    got = typed(kind, text)
    assert (got, type(got)) == (value, type(value))


@given(st.sampled_from(["integer", "double", "boolean", "json", "string"]), st.text(max_size=20))
def test_no_text_makes_typing_raise(kind: str, text: str) -> None:
    typed(kind, text)


def overriding(*, enabled: bool) -> dict[str, Any]:
    on = variation("701", "on", enabled=enabled, variables=[{"id": "k1", "value": "x"}, {"id": "gone", "value": "y"}])
    variables = [{"id": "k1", "key": "k", "type": "integer", "defaultValue": "1"}]
    return {"featureFlags": [flag(variables=variables)], "experiments": [rule(variations=[on])]}


def test_a_disabled_variation_keeps_the_defaults() -> None:
    assert build(**overriding(enabled=False)).decide(somebody(), "f").variables == {"k": 1}


def test_a_mistyped_value_is_null_warned_of_and_among_the_reasons() -> None:
    datafile = build(**overriding(enabled=True))
    trace = Trace()
    assert datafile.decide(somebody(), "f", trace).variables == {"k": None}
    said = "variable `k` is null: `x` is no integer"
    assert [(one.path, one.message) for one in datafile.warnings] == [("featureFlags[0]", said)]
    assert said in trace.reasons()
