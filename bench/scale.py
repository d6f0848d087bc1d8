"""How much is measured: the whole, a short look, or as little as shows that the harness works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.processes import Cores
from sidecar.transport.native import codec

WIRES: Final = ("native", "grpcio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of every row. `calls` are of one round, of which each server of a comparison gets its share.

    `decisions` are of the row that looks for growth of memory; `starts` of a process are measured; `paced_s` seconds of
    paced calls without and with reloads of a datafile of `large_bytes`, 0 for none.
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
    """The wire of the sidecar, `auto` for both; the yardsticks have their own."""

    def wires(self) -> Mapping[str, str]:
        """Each wire to measure, and why it cannot be, "" when it can."""
        chosen = WIRES if self.transport == "auto" else (self.transport,)
        return {wire: codec.missing() if wire == "native" else "" for wire in chosen}


def whole(cores: Cores) -> Scale:
    """What the promises are measured with: a quarter of an hour."""
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
