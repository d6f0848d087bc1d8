"""Amounts: R12, the exact translation both ways, and contradictions by name."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.events import optimizely, segment
from sidecar.events.currencies import MINOR_UNIT_DIGITS
from sidecar.events.money import (
    Revenue,
    agreed_revenue,
    amount_in_major_units,
    amount_of,
    check_event_tags,
    check_money,
    minor_units_in,
    revenue_of,
    value_of,
)
from sidecar.values import Money
from tests.events.samples import FACTS, a_track

VECTORS = Path(__file__).parents[1] / "vectors" / "event_tags.jsonl.gz"
CASES = [json.loads(line) for line in gzip.decompress(VECTORS.read_bytes()).splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_event_tags_are_as_the_vectors_say(case: dict[str, Any]) -> None:
    tags = case["track"]["tags"] or {}
    if check_event_tags(tags):
        assert case["expect"] == "rejected"
        return
    out = {"revenue": revenue_of(tags), "value": value_of(tags)}
    assert {key: amount for key, amount in out.items() if amount is not None} == case["expect"]


@pytest.mark.parametrize("value", ["5.5", " 5 ", "+1", "-.5", "1e3", "5."])
def test_a_string_that_is_a_number_is_a_value(value: str) -> None:
    assert value_of({"value": value}) == float(value)


@pytest.mark.parametrize(
    "value", ["", "abc", "NaN", "inf", "1_0", "٣", "0x10", "1e999", "5,5", True, [1], {}, float("nan"), float("inf")]
)
def test_what_is_no_finite_number_is_refused_as_value_by_name(value: Any) -> None:
    [violation] = check_event_tags({"value": value})
    assert violation.field == "event_tags.value"
    assert violation.description.endswith("wanted a finite number")


@pytest.mark.parametrize("revenue", [12.7, "12", "12.7", True, [12], {}, float("nan"), float("inf"), 1e300, 2**63])
def test_what_is_no_whole_number_of_minor_units_is_refused_as_revenue(revenue: Any) -> None:
    [violation] = check_event_tags({"revenue": revenue})
    assert violation.field == "event_tags.revenue"


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("1.15", "USD", 115),
        ("-19.99", "USD", -1999),
        ("100", "JPY", 100),
        ("100.5", "JPY", None),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        ("19.999", "USD", None),
        ("19.9900", "USD", 1999),
        ("1E+2", "USD", 10000),
        ("0", "USD", 0),
        ("92233720368547758.07", "USD", 2**63 - 1),
        ("92233720368547758.08", "USD", None),
        ("1E+999999", "USD", None),
        ("1E-999999", "USD", None),
        ("0." + "1" * 5_000, "USD", None),
    ],
)
def test_minor_units_are_exact_or_not_said(amount: str, currency: str, minor: int | None) -> None:
    assert minor_units_in(Revenue(Decimal(amount), currency), currency) == minor


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(sorted(MINOR_UNIT_DIGITS)))
def test_minor_units_go_to_major_ones_and_back(minor: int, currency: str) -> None:
    translated = amount_in_major_units(Revenue(None, currency, minor), "USD")
    assert translated is not None
    assert minor_units_in(Revenue(*translated), currency) == minor


@given(st.integers(-(10**13), 10**13))
def test_a_double_of_cents_is_its_cents(cents: int) -> None:
    revenue = agreed_revenue(None, {}, {"revenue": cents / 100})
    assert revenue is not None
    assert minor_units_in(revenue, "USD") == cents


CURRENCIES = st.sampled_from(sorted(MINOR_UNIT_DIGITS))


def amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-MINOR_UNIT_DIGITS[currency])


@given(st.integers(-(10**15) + 1, 10**15 - 1), CURRENCIES, st.sampled_from(["typed", "tags", "text", "double"]))
def test_amount_is_exactly_the_same_on_both_wires_whatever_it_came_in(minor: int, currency: str, way: str) -> None:
    """As a double too, up to the 15 digits that one carries."""
    exact = amount(minor, currency)
    track = {
        "typed": a_track(revenue=Money(exact, currency)),
        "tags": a_track(event_tags={"revenue": minor}),
        "text": a_track(properties={"revenue": f"{exact:f}", "currency": currency}),
        "double": a_track(properties={"revenue": float(exact), "currency": currency}),
    }[way]
    (visitor,) = [json.loads(optimizely.conversion(track, FACTS, currency))]
    assert visitor["snapshots"][0]["events"][0]["revenue"] == minor
    properties = json.loads(segment.message(track, currency), parse_float=Decimal)["properties"]
    said = Decimal(properties["revenue"])
    assert (Decimal(repr(float(said))) if way == "double" else said) == exact
    assert properties["currency"] == currency


def test_the_noise_of_doubles_is_no_amount() -> None:
    assert amount_of({"revenue": 0.1 + 0.2}) == Decimal("0.3")


@pytest.mark.parametrize(
    ("typed", "tags", "properties", "destination", "minor"),
    [
        (Money(Decimal("19.99"), "USD"), {}, {}, "USD", 1999),
        (Money(Decimal("19.99"), "EUR"), {}, {}, "USD", None),
        (Money(Decimal("19.99"), "EUR"), {}, {}, "EUR", 1999),
        (None, {"revenue": 1999}, {}, "USD", 1999),
        (None, {"revenue": 1999}, {}, "EUR", 1999),
        (None, {"revenue": 1999}, {"currency": "EUR"}, "USD", None),
        (None, {}, {"revenue": 19.99}, "USD", 1999),
        (None, {}, {"revenue": 19.99}, "EUR", None),
        (None, {}, {"revenue": "19.99", "currency": "eur"}, "EUR", 1999),
        (None, {}, {"revenue": 19}, "USD", 1900),
        (None, {}, {"revenue": True}, "USD", None),
        (None, {}, {}, "USD", None),
    ],
)
def test_revenue_reaches_optimizely_in_its_currency_alone(
    typed: Money | None, tags: dict[str, Any], properties: dict[str, Any], destination: str, minor: int | None
) -> None:
    assert not check_money(typed, tags, properties)
    said = agreed_revenue(typed, tags, properties)
    assert (minor_units_in(said, destination) if said else None) == minor


@pytest.mark.parametrize(
    ("typed", "tags", "properties", "fields"),
    [
        (Money(Decimal("19.99"), "USD"), {"revenue": 1999}, {"revenue": 19.99, "currency": "USD"}, []),
        (Money(Decimal(20), "USD"), {"revenue": 1999}, {}, ["event_tags.revenue"]),
        (Money(Decimal("19.99"), "USD"), {}, {"revenue": 20}, ["properties.revenue"]),
        (Money(Decimal("19.99"), "USD"), {}, {"currency": "EUR"}, ["properties.currency"]),
        (None, {"revenue": 1999}, {"revenue": 19.99}, []),
        (None, {"revenue": 19}, {"revenue": 19}, ["event_tags.revenue"]),
        (None, {"revenue": 19}, {"revenue": 19, "currency": "JPY"}, []),
        (None, {"value": 5}, {"value": 5.0}, []),
        (None, {"value": 5}, {"value": 6}, ["event_tags.value"]),
        (Money(Decimal(1), "XXX"), {}, {}, ["revenue.currency"]),
        (Money(Decimal(1), "usd"), {}, {}, ["revenue.currency"]),
        (Money(Decimal("NaN"), "USD"), {}, {}, ["revenue.amount"]),
        (Money(Decimal("Infinity"), "USD"), {}, {}, ["revenue.amount"]),
        (
            Money(Decimal("1E+999999"), "USD"),
            {"revenue": 1},
            {"revenue": 2},
            ["properties.revenue", "event_tags.revenue"],
        ),
    ],
)
def test_contradictions_are_named(
    typed: Money | None, tags: dict[str, Any], properties: dict[str, Any], fields: list[str]
) -> None:
    violations = check_money(typed, tags, properties)
    assert [violation.field for violation in violations] == fields
    assert all(len(violation.description) < 300 for violation in violations)


def test_a_currency_of_nobody_has_no_major_units() -> None:
    assert amount_in_major_units(Revenue(None, "BTC", 5), "USD") is None


def test_the_table_of_currencies_is_iso_4217s() -> None:
    assert [MINOR_UNIT_DIGITS[code] for code in ("USD", "EUR", "JPY", "KRW", "KWD", "BHD", "CLF")] == [
        2,
        2,
        0,
        0,
        3,
        3,
        4,
    ]
    assert all(len(code) == 3 and code.isupper() for code in MINOR_UNIT_DIGITS)
    assert not {"XXX", "XTS", "XAU"} & set(MINOR_UNIT_DIGITS)
