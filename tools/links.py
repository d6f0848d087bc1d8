"""Finds relative links in the repository's Markdown files that lead nowhere. Addresses outside are not asked.

A link may name a heading (`operations.md#life`); then the heading must be there, by GitHub's rule for anchors.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tools.checks.tree import ROOT, Finding, Source

_LINK: Final = re.compile(r"!?\[[^\]\n]*\]\(([^()\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$")
_OUTSIDE: Final = re.compile(r"[a-z][a-z0-9+.-]*:")
_FENCE: Final = re.compile(r"^ *(```|~~~)")
_NOT_OURS: Final = frozenset({"node_modules", "target", "build", "dist"})


def markdown_sources(root: Path = ROOT) -> Iterator[Source]:
    """Read every Markdown file that is the repository's own, in order of path."""
    for path in sorted(root.rglob("*.md")):
        relative = path.relative_to(root)
        if not any(part in _NOT_OURS or part.startswith(".") for part in relative.parts):
            yield Source(path=relative.as_posix(), text=path.read_text(encoding="utf-8"))


def find(sources: Iterable[Source], root: Path = ROOT) -> Iterator[Finding]:
    """Every link of `sources` whose file, or whose heading in it, does not exist below `root`."""
    for source in sources:
        for line, target in links(source.text):
            fault = _fault(source, target, root)
            if fault:
                yield Finding(path=source.path, line=line, text=f"link `{target}`: {fault}")


def links(text: str) -> Iterator[tuple[int, str]]:
    """The relative links of a text with their lines, code blocks and code spans left out."""
    for number, line in prose(text):
        for found in _LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            if not _OUTSIDE.match(found[1]):
                yield number, found[1]


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text that are in no fenced block, with their numbers from 1."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(text: str) -> frozenset[str]:
    """The anchors of a text's headings: lower case, blanks as hyphens, punctuation left out."""
    headings = (_HEADING.match(line) for _, line in prose(text))
    return frozenset(re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-") for heading in headings if heading)


def _fault(source: Source, target: str, root: Path) -> str:
    file, _, anchor = target.partition("#")
    path = (root / source.path).parent / file if file else root / source.path
    if not path.exists():
        return "there is no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
        return f"`{path.name}` has no heading `#{anchor}`"
    return ""
