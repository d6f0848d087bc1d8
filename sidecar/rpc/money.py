"""The contract's `Money`: read and checked, exactly. Rules: docs/events.md "Money"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from sidecar.events.currencies import MINOR_UNIT_DIGITS
from sidecar.pb import event_pb2
from sidecar.rpc.requests import Violations

_AMOUNT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DIGITS_MAX: Final = 30


def check_money(money: event_pb2.Money, where: str, violations: Violations) -> None:
    """Note what is wrong with an amount; `where` is the path of the field."""
    digits = MINOR_UNIT_DIGITS.get(money.currency)
    if digits is None:
        wanted = "an ISO 4217 code in upper case, as USD"
        violations.add(f"{where}.currency", f"is `{money.currency[:20]}`, wanted {wanted}")
    text = money.amount
    if not _AMOUNT.fullmatch(text) or len(text) > _DIGITS_MAX + 2:
        violations.add(
            f"{where}.amount", f"is `{text[:40]}`, wanted a decimal of at most {_DIGITS_MAX} digits, as 19.99"
        )
    elif digits is not None and -int(Decimal(text).normalize().as_tuple().exponent) > digits:
        wanted = f"at most {digits} digits after the point for {money.currency}"
        violations.add(f"{where}.amount", f"is `{text}`, wanted {wanted}")
