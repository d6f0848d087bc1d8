"""Rows of the one table: what was measured, against what, and whether it is within its bound."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

REACHED: Final = "reached"
MISSED: Final = "missed"
SKIPPED: Final = "skipped"
SHOWN: Final = "no bound"
FAILED: Final = "failed"
_WIDTH: Final = 132


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What one server of a comparison took, for the table of servers. Times in microseconds, memory after the load."""

    load: str
    server: str
    cpu_us: float
    rate: float
    median_us: float
    p99_us: float
    memory_mib: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line. `figure` is held against `bound`, at least or at most; both in `unit` ("" for a ratio).

    `ours` and `yardstick` are what the figure was made of, in words with their unit. `bound` None is a row that shows
    and does not bind. A row with `skipped` was not measured, one with `failed` could not be, for that reason. `servers`
    are all that were loaded for it, for a table of their own.
    """

    name: str
    ours: str = ""
    yardstick: str = ""
    figure: float = 0.0
    unit: str = ""
    bound: float | None = None
    at_most: bool = False
    note: str = ""
    skipped: str = ""
    failed: str = ""
    servers: Sequence[Beside] = ()

    @property
    def verdict(self) -> str:
        """The word at the end of the line."""
        if self.skipped or self.failed:
            return SKIPPED if self.skipped else FAILED
        if self.bound is None:
            return SHOWN
        kept = self.figure <= self.bound if self.at_most else self.figure >= self.bound
        return REACHED if kept else MISSED


def render(rows: Iterable[Row]) -> str:
    """The table as text; a row's note or reason stands below it. Behind it the servers, load by load."""
    rows = list(rows)
    lines = [_line(("what", "ours", "yardstick", "figure", "bound", "")), "-" * _WIDTH]
    for row in rows:
        bound = "" if row.bound is None else f"{'≤' if row.at_most else '≥'} {row.bound:g} {row.unit}".strip()
        figure = "" if row.skipped or row.failed else f"{_short(row.figure)} {row.unit}".strip()
        lines.append(_line((row.name, row.ours, row.yardstick, figure, bound, row.verdict)))
        below = row.skipped or row.failed or row.note
        lines += textwrap.wrap(below, _WIDTH - 8, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([*lines, *_servers(beside for row in rows for beside in row.servers)])


def _servers(all_of_them: Iterable[Beside]) -> list[str]:
    lines: list[str] = []
    for one in all_of_them:
        if not lines:
            head = ("CPU µs", "calls/s", "median µs", "p99 µs", "MiB", "spread")
            lines += ["", _server_line("load", "server", head), "-" * _WIDTH]
        figures = (
            f"{one.cpu_us:.1f}",
            f"{one.rate:,.0f}",
            f"{one.median_us:,.0f}",
            f"{one.p99_us:,.0f}",
            f"{one.memory_mib:.1f}",
            f"{one.spread:.0%}",
        )
        lines.append(_server_line(one.load, one.server, figures))
    return lines


def _server_line(load: str, server: str, figures: Sequence[str]) -> str:
    return f"{load:56} {server:15}" + "".join(f"{figure:>10}" for figure in figures)


def _line(cells: tuple[str, str, str, str, str, str]) -> str:
    name, ours, yardstick, figure, bound, verdict = cells
    return f"{name:44} {ours:>26} {yardstick:>26} {figure:>11} {bound:>11} {verdict}".rstrip()


def _short(figure: float) -> str:
    return f"{figure:.2f}" if abs(figure) < 10 else f"{figure:.1f}"
