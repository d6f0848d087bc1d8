"""Many users through one datafile, or through two: what share gets what, and for whom the answer differs.

Pure: the users come from the caller, and what is counted is what `decide` answers. Reference: docs/commands.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from sidecar.decision.answers import Decision
from sidecar.decision.compiled import CompiledDatafile
from sidecar.decision.shares import NO_VARIATION, expected_shares
from sidecar.decision.user import User

_PAIRS_KEPT_MAX: Final = 65_536
"""Pairs of decisions whose comparison is kept; real datafiles have a few for each flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationShare:
    """One variation of one flag; its key is empty for no variation.

    `expected` and `actual` are shares of 0 to 1: the first of users in every audience (`shares`), the second of the
    `users` who got it.
    """

    flag_key: str
    variation_key: str
    expected: float
    actual: float
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """How many users there were, and the shares of every variation that somebody got or should have got."""

    users: int
    shares: tuple[VariationShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """For how many users two datafiles answer differently: on one flag, by its key, and on any of them."""

    users: int
    users_moved: int
    moved: Mapping[str, int]


def simulate(datafile: CompiledDatafile, users: Iterable[User], flag_keys: Sequence[str]) -> Simulation:
    """Decide flags of the datafile for every user and count the variations; flags in the order given."""
    flags = [datafile.flags[key] for key in flag_keys]
    counts: list[Counter[str]] = [Counter() for _ in flags]
    asked = list(zip(flags, counts, strict=True))
    seen = 0
    for user in users:
        seen += 1
        for flag, counted in asked:
            counted[flag.decide(user).variation_key] += 1
    shares = []
    for flag, counted in asked:
        expected = {NO_VARIATION: 1.0} if flag.problem else expected_shares(flag)
        shares += [
            VariationShare(
                flag_key=flag.key,
                variation_key=key,
                expected=expected.get(key, 0.0),
                actual=counted[key] / seen if seen else 0.0,
                users=counted[key],
            )
            for key in _last(NO_VARIATION, (*expected, *counted))
        ]
    return Simulation(users=seen, shares=tuple(shares))


def compare(
    old: CompiledDatafile, new: CompiledDatafile, users: Iterable[User], flag_keys: Sequence[str]
) -> Comparison:
    """Decide the same users by both datafiles.

    An answer is what a service acts on: variation, enabled and variables, types included. Which rule gave it does not
    matter; a flag that a datafile lacks answers as one (D1).
    """
    same: dict[tuple[Decision, Decision], bool] = {}
    moved: Counter[str] = Counter()
    seen = users_moved = 0
    for user in users:
        seen += 1
        differs = False
        for key in flag_keys:
            pair = old.decide(user, key), new.decide(user, key)
            equal = same.get(pair)
            if equal is None:
                if len(same) >= _PAIRS_KEPT_MAX:
                    same.clear()
                equal = same[pair] = _answer(pair[0]) == _answer(pair[1])
            if not equal:
                moved[key] += 1
                differs = True
        users_moved += differs
    return Comparison(users=seen, users_moved=users_moved, moved={key: moved[key] for key in flag_keys})


def _last(key: str, keys: Iterable[str]) -> list[str]:
    """Each key once, in order, one of them at the end."""
    return sorted(dict.fromkeys(keys), key=lambda one: one == key)


def _answer(decision: Decision) -> tuple[str, bool, bytes]:
    # As JSON, because for Python true, 1 and 1.0 are equal.
    variables = msgspec.json.encode(decision.variables, order="deterministic")
    return decision.variation_key, decision.enabled, variables
