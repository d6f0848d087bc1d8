"""How much is measured: the whole, a short look, or as little as shows that the harness works."""

from __future__ import annotations

from dataclasses import dataclass

from bench.processes import Cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of every row. `calls` are of one round; `decisions` of the row that looks for growth of memory.

    `starts` of a process are measured; `paced_s` seconds of paced calls without and with reloads of a datafile of
    `large_bytes`, 0 for none.
    """

    cores: Cores
    calls: int
    rounds: int
    decisions: int
    starts: int
    paced_s: float
    large_bytes: int
    short: bool
    transport: str = "auto"
    """The wire of the sidecar; the yardsticks have their own."""


def whole(cores: Cores) -> Scale:
    """What the promises are measured with: ten minutes."""
    return Scale(
        cores=cores,
        calls=10_000,
        rounds=5,
        decisions=1_000_000,
        starts=5,
        paced_s=10.0,
        large_bytes=10_000_000,
        short=False,
    )


def short(cores: Cores) -> Scale:
    """A quick look: two minutes, without paced calls."""
    return Scale(
        cores=cores,
        calls=4_000,
        rounds=2,
        decisions=50_000,
        starts=2,
        paced_s=0.0,
        large_bytes=10_000_000,
        short=True,
    )


def tiny(cores: Cores) -> Scale:
    """For the test of the harness: its figures mean nothing."""
    return Scale(
        cores=cores,
        calls=200,
        rounds=1,
        decisions=400,
        starts=1,
        paced_s=0.0,
        large_bytes=200_000,
        short=True,
    )
