"""Versions as audience conditions compare them: Optimizely's order, which is not quite SemVer's.

Rules: docs/semantics.md C8 to C12. Nothing here raises for any string.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_NUMBERS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version in parts: one to three numbers, as digits, then perhaps a suffix."""

    parts: tuple[str, ...]
    pre_release: bool
    build: bool


def parse(text: str) -> Version | None:
    """Split a version; None when the text is none (C8, C9)."""
    if " " in text:
        return None
    cut = next((index for index, character in enumerate(text) if character in "-+"), None)
    numbers = text if cut is None else text[:cut]
    parts = numbers.split(".")
    if len(parts) > _NUMBERS_MAX or not all(part.isdecimal() for part in parts):
        return None
    if cut is not None:
        parts.append(text[cut + 1 :])
    return Version(
        parts=tuple(parts),
        pre_release=cut is not None and text[cut] == "-",
        build=cut is not None and text[cut] == "+",
    )


def compare(user: Version, target: Version) -> int:
    """-1, 0 or 1 as the user's version is lower than, equal to or higher than the target (C10)."""
    for index, wanted in enumerate(target.parts):
        if index >= len(user.parts):
            return 1 if target.pre_release or target.build else -1
        order = _compare_part(user.parts[index], wanted, user=user, target=target)
        if order:
            return order
    return -1 if user.pre_release and not target.pre_release else 0


def _compare_part(seen: str, wanted: str, *, user: Version, target: Version) -> int:
    if seen.isdecimal():
        # C11: a number is lower than a word (SemVer 2.0, point 11.4.3).
        return _compare_digits(seen, wanted) if wanted.isdecimal() else -1
    if seen < wanted:
        return 1 if target.pre_release and not user.pre_release else -1
    if seen > wanted:
        return -1 if user.pre_release and not target.pre_release else 1
    return 0


def _compare_digits(seen: str, wanted: str) -> int:
    # Why not int(): it refuses more than 4,300 digits, and an attribute may have 64 KiB of them.
    left, right = _ascii(seen).lstrip("0"), _ascii(wanted).lstrip("0")
    one, other = (len(left), left), (len(right), right)
    return (one > other) - (one < other)


def _ascii(digits: str) -> str:
    """Decimal digits of any script as `0` to `9` (C9)."""
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
