"""Amounts in two vocabularies, and the exact way from one to the other. Decimal only, never float arithmetic.

Optimizely: `event_tags.revenue` is an integer of minor units without a currency. Segment:
`properties.revenue` is a decimal amount, `properties.currency` its code, USD when absent. A typed `Money`
stands above both. Rules: docs/semantics.md R12, docs/events.md "Money".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from math import isfinite
from typing import Final

from sidecar.errors import Violation
from sidecar.events.currencies import MINOR_UNIT_DIGITS
from sidecar.values import Money, Value

SEGMENT_CURRENCY: Final = "USD"
"""What Segment's specification makes of an amount without a currency."""

MONEY_KEYS: Final = frozenset({"revenue", "value"})
"""Keys that both vocabularies have and that this module alone translates."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NUMBER_CHARACTERS_MAX: Final = 100
_INT64_MAX: Final = 2**63 - 1
_SIMPLE: Final = frozenset((str, int, bool))
_CURRENCY_CHARACTERS_MAX: Final = 8
_DOUBLE_DIGITS: Final = 15
_EXACT: Final = Context(prec=100, traps=[Inexact])
"""Raises where a digit other than zero would be lost."""


@dataclass(frozen=True, slots=True)
class Revenue:
    """What one event says about revenue, once its vocabularies agree.

    `amount` is in major units; None means `minor_units` of a currency that nobody named. `currency` is ""
    then.
    """

    amount: Decimal | None
    currency: str
    minor_units: int | None = None


# --- event_tags, in Optimizely's meaning
# --------------------------------------------------------------------------


def are_simple(tags: Mapping[str, Value]) -> bool:
    """Whether tags are texts, integers and booleans, their amounts as R12 wants them: none is refused or left out."""
    if not _SIMPLE.issuperset(map(type, tags.values())):
        return False
    if "value" in tags and type(tags["value"]) is not int:
        return False
    return "revenue" not in tags or revenue_of(tags) is not None


def check_event_tags(tags: Mapping[str, Value]) -> list[Violation]:
    """What R12 refuses in `event_tags`: a `revenue` or `value` that is no amount; empty when all is well."""
    violations = []
    if "revenue" in tags and (revenue := tags["revenue"]) is not None and revenue_of(tags) is None:
        violations.append(
            Violation("event_tags.revenue", f"is {_shown(revenue)}, wanted an integer of minor units (cents)")
        )
    if "value" in tags and (value := tags["value"]) is not None and value_of(tags) is None:
        violations.append(Violation("event_tags.value", f"is {_shown(value)}, wanted a finite number"))
    return violations


def revenue_of(tags: Mapping[str, Value]) -> int | None:
    """`event_tags.revenue` as it goes out: minor units within int64; None when absent or no such number.

    An integer, or a double without fraction; a bool or a string is neither. Source: docs/semantics.md R12.
    """
    revenue = tags.get("revenue")
    # Why by type: a bool is no number.
    if type(revenue) is int:
        return revenue if -_INT64_MAX <= revenue <= _INT64_MAX else None
    if isinstance(revenue, float) and isfinite(revenue) and revenue.is_integer() and abs(revenue) <= _INT64_MAX:
        return int(revenue)
    return None


def value_of(tags: Mapping[str, Value]) -> int | float | None:
    """`event_tags.value` as it goes out: a finite number; None when absent or no such number.

    A number, or a string that is one. Source: docs/semantics.md R12.
    """
    value = tags.get("value")
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        value = float(value) if _number_in(value) is not None else None
    return value if isinstance(value, float) and isfinite(value) else None


# --- both vocabularies
# --------------------------------------------------------------------------------------------


def check_money(
    typed: Money | None, event_tags: Mapping[str, Value], properties: Mapping[str, Value]
) -> list[Violation]:
    """Contradictions between the three places where an event may name its revenue, and the two of its value.

    Call it for tags that `check_event_tags` accepts. Each violation names the field that disagrees and what
    it disagrees with; the typed amount, then `properties`, is taken as the one that is meant.
    """
    if typed is None and not properties:
        # One vocabulary cannot contradict itself.
        return []
    violations = _check_typed(typed)
    if violations:
        return violations
    stated = currency_of(properties)
    if typed is not None and stated and stated != typed.currency:
        violations.append(Violation("properties.currency", f"is `{stated}`, contradicts revenue in `{typed.currency}`"))
    bought = amount_of(properties)
    if typed is not None and bought is not None and bought != typed.amount:
        violations.append(
            Violation("properties.revenue", f"is {_shown(bought)}, contradicts revenue {_shown(typed.amount)}")
        )
    return violations + _check_tags_against(typed, stated, bought, event_tags) + _check_value(event_tags, properties)


def agreed_revenue(
    typed: Money | None, event_tags: Mapping[str, Value], properties: Mapping[str, Value]
) -> Revenue | None:
    """The revenue of an event whose vocabularies agree (`check_money`), None when it names none."""
    if typed is not None:
        return Revenue(typed.amount, typed.currency)
    stated = currency_of(properties)
    amount = amount_of(properties)
    if amount is not None:
        return Revenue(amount, stated or SEGMENT_CURRENCY)
    minor_units = revenue_of(event_tags)
    return None if minor_units is None else Revenue(None, stated, minor_units)


def minor_units_in(revenue: Revenue, currency: str) -> int | None:
    """The revenue as Optimizely wants it: minor units of `currency`; None when it cannot be said exactly.

    Minor units without a currency are taken to be in that of the destination.
    """
    if (revenue.currency or currency) != currency:
        return None
    if revenue.amount is None:
        return revenue.minor_units
    return _minor_units(revenue.amount, currency)


def why_not_in(revenue: Revenue, currency: str) -> str:
    """Why `minor_units_in` says nothing: the other currency, cut short, or what the amount has too much of."""
    if (revenue.currency or currency) != currency:
        return revenue.currency[:_CURRENCY_CHARACTERS_MAX]
    digits = MINOR_UNIT_DIGITS.get(currency, 0)
    too_large = revenue.amount is not None and abs(revenue.amount) > Decimal(_INT64_MAX).scaleb(-digits)
    return "too large" if too_large else "fraction of a minor unit"


def amount_in_major_units(revenue: Revenue, currency: str) -> tuple[Decimal, str] | None:
    """The revenue as Segment wants it: a decimal amount and its code; None when the code is unknown.

    `currency` is what minor units without a currency are taken to be in.
    """
    code = revenue.currency or currency
    if revenue.amount is not None:
        return revenue.amount, code
    digits = MINOR_UNIT_DIGITS.get(code)
    if digits is None or revenue.minor_units is None:
        return None
    return Decimal(revenue.minor_units).scaleb(-digits), code


def amount_of(properties: Mapping[str, Value]) -> Decimal | None:
    """`properties.revenue` as an exact amount, None when it is absent or no number.

    A double carries 15 significant decimal digits and noise after them: 0.1 + 0.2 is the amount 0.3.
    """
    amount = properties.get("revenue")
    if isinstance(amount, bool):
        return None
    if isinstance(amount, int):
        return Decimal(amount)
    if isinstance(amount, float):
        return Decimal(f"{amount:.{_DOUBLE_DIGITS}g}") if isfinite(amount) else None
    return _number_in(amount) if isinstance(amount, str) else None


def currency_of(properties: Mapping[str, Value]) -> str:
    """`properties.currency` in upper case, "" when it is absent or no string."""
    currency = properties.get("currency")
    return currency.strip().upper() if isinstance(currency, str) else ""


def _check_typed(typed: Money | None) -> list[Violation]:
    if typed is not None and typed.currency not in MINOR_UNIT_DIGITS:
        return [Violation("revenue.currency", f"is `{typed.currency}`, wanted an upper-case ISO 4217 code")]
    if typed is not None and not typed.amount.is_finite():
        return [Violation("revenue.amount", f"is {_shown(typed.amount)}, wanted a finite decimal number")]
    return []


def _check_tags_against(
    typed: Money | None, stated: str, bought: Decimal | None, event_tags: Mapping[str, Value]
) -> list[Violation]:
    meant = typed or (Money(bought, stated or SEGMENT_CURRENCY) if bought is not None else None)
    tagged = revenue_of(event_tags)
    if meant is None or tagged is None or _minor_units(meant.amount, meant.currency) == tagged:
        return []
    place = "revenue" if typed else "properties.revenue"
    said = f"is `{tagged}` minor units, contradicts {place} {_shown(meant.amount)} {meant.currency}"
    return [Violation("event_tags.revenue", said)]


def _check_value(event_tags: Mapping[str, Value], properties: Mapping[str, Value]) -> list[Violation]:
    tagged, stated = value_of(event_tags), value_of(properties)
    if tagged is None or stated is None or tagged == stated:
        return []
    return [Violation("event_tags.value", f"is `{tagged}`, contradicts properties.value `{stated}`")]


def _minor_units(amount: Decimal, currency: str) -> int | None:
    digits = MINOR_UNIT_DIGITS.get(currency)
    # Why first: nothing above int64 is an amount, and a huge exponent would become a huge integer.
    if digits is None or not amount.is_finite() or amount.adjusted() > len(str(_INT64_MAX)):
        return None
    try:
        minor = int(_EXACT.to_integral_exact(_EXACT.scaleb(amount, digits)))
    except Inexact:
        return None
    return minor if abs(minor) <= _INT64_MAX else None


def _number_in(text: str) -> Decimal | None:
    """A plain decimal number in ASCII, blanks around it allowed, finite as a double too; else None."""
    text = text.strip(" \t\r\n")
    if len(text) > _NUMBER_CHARACTERS_MAX or not _NUMBER.fullmatch(text) or not isfinite(float(text)):
        return None
    return Decimal(text)


def _shown(value: Value | Decimal) -> str:
    text = str(value) if isinstance(value, str | Decimal) else repr(value)
    return f"`{text[:_NUMBER_CHARACTERS_MAX]}`"
