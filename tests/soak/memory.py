"""Whether memory grows: resident memory of one process after another, and the slope of a line through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias


class Sample(NamedTuple):
    """Resident memory at a time, counted from anywhere."""

    at_s: float
    kib: float


Life: TypeAlias = Sequence[Sample]
"""What was sampled of one process."""


def slope_kib_per_min(lives: Sequence[Life]) -> float:
    """How fast processes grow: least squares, one slope for all of them and a level for each."""
    products = squares = 0.0
    for life in lives:
        if not life:
            continue
        at_s, kib = (sum(column) / len(life) for column in zip(*life, strict=True))
        products += sum((one.at_s - at_s) * (one.kib - kib) for one in life)
        squares += sum((one.at_s - at_s) ** 2 for one in life)
    return 60 * products / squares if squares else 0.0


def across_kib_per_min(lives: Sequence[Life]) -> float:
    """How fast they grow from one to the next, by what each held at its end: what a restart does not give back."""
    return slope_kib_per_min([[life[-1] for life in lives if life]])
