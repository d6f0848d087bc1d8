"""What the repository says about its own documentation is true: pages and headings that are named exist."""

import re
from collections.abc import Iterator

from tests.docs.reading import page
from tools.checks.tree import ROOT
from tools.links import find, markdown_sources, prose

NAMED = re.compile(r"(docs/[\w/-]+\.md)(?:[ \n]+\"([^\"\n]+)\")?")
PLACES = (
    "sidecar/**/*.py",
    "tools/**/*.py",
    "tests/**/*.py",
    "proto/**/*.proto",
    "deploy/**/*.yaml",
    "*.toml",
    "Makefile",
)


def references() -> Iterator[tuple[str, str, str]]:
    """(where, page, heading or "") of each page of docs/ that a file outside of it names."""
    here = {path for pattern in PLACES for path in ROOT.glob(pattern)}
    for path in sorted(here - set((ROOT / "tests" / "tools").iterdir())):
        text = re.sub(r"\n[ #/*]*", "\n", path.read_text(encoding="utf-8"))
        for found in NAMED.finditer(text):
            yield path.relative_to(ROOT).as_posix(), found[1], found[2] or ""


def headings(path: str) -> set[str]:
    return {line.lstrip("# ").strip() for _, line in prose(page(path)) if line.startswith("#")}


def test_every_page_that_the_code_names_exists() -> None:
    named = {(where, path) for where, path, _ in references()}

    assert ("sidecar/retry.py", "docs/decisions/0030-delivery.md") in named
    assert [(where, path) for where, path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_heading_that_the_code_names_exists() -> None:
    named = [(where, path, heading) for where, path, heading in references() if heading]

    assert ("sidecar/decider.py", "docs/architecture.md", "A Decide") in named
    assert [(where, path, heading) for where, path, heading in named if heading not in headings(path)] == []


def test_no_relative_link_of_a_page_is_broken() -> None:
    assert [str(finding) for finding in find(markdown_sources())] == []
