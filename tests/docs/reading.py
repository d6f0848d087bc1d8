"""Reads the documentation as its tests need it: code blocks with their marks, and tables by their first column."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.checks.tree import ROOT

RUNS = "runs"
"""The mark of a block that is executed, as `<!-- runs -->` on the line above it; `not run: WHY` is the other."""

_BLOCK = re.compile(r"^(?:<!-- (?P<mark>.+?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    mark: str
    language: str
    text: str


def page(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(path: str, heading: str) -> str:
    """What stands between a heading and the next one of any level."""
    text = re.split(r"^#+ ", page(path), flags=re.MULTILINE)
    (found,) = [part for part in text if part.startswith(f"{heading}\n")]
    return found


def blocks(path: str) -> list[Block]:
    return [Block(found["mark"] or "", found["language"], found["text"]) for found in _BLOCK.finditer(page(path))]


def rows(text: str) -> Iterator[list[str]]:
    """The body rows of every table of a text, cell by cell."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("| ") else []
        if cells and "`" in cells[0]:
            yield cells


def words(cell: str) -> list[str]:
    """The code words of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def trees(*below: str) -> Iterator[ast.Module]:
    """The hand-written modules of the daemon, parsed."""
    for path in sorted((ROOT / "sidecar").joinpath(*below).rglob("*.py")):
        if "pb" not in Path(path).relative_to(ROOT).parts:
            yield ast.parse(path.read_text(encoding="utf-8"))
