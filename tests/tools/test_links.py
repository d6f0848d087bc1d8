"""Twin of tools/links.py."""

from pathlib import Path

import pytest

from tools.checks.tree import Source
from tools.links import anchors, find, links, markdown_sources


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Top\n\n## What it *is*, in 3 words\n")
    return tmp_path


def faults(tree: Path, text: str) -> list[str]:
    return [str(finding) for finding in find([Source(path="docs/a.md", text=text)], tree)]


def test_a_link_to_a_file_or_directory_that_exists_passes(tree: Path) -> None:
    assert faults(tree, "[up](../README.md) and [here](../docs)") == []


def test_a_link_to_no_file_is_found_with_its_line(tree: Path) -> None:
    assert faults(tree, "x\n\n[up](../GONE.md)") == ["docs/a.md:3: link `../GONE.md`: there is no such file"]


def test_a_link_to_a_heading_follows_the_rule_for_anchors(tree: Path) -> None:
    assert faults(tree, "[is](../README.md#what-it-is-in-3-words)") == []
    assert faults(tree, "[is](../README.md#what)") == [
        "docs/a.md:1: link `../README.md#what`: `README.md` has no heading `#what`"
    ]


def test_a_link_within_its_own_page_is_checked_too(tree: Path) -> None:
    (tree / "docs" / "a.md").write_text("## One\n")

    assert faults(tree, "[1](#one) [2](#two)") == ["docs/a.md:1: link `#two`: `a.md` has no heading `#two`"]


def test_addresses_outside_and_code_are_left_alone() -> None:
    text = "[a](https://example.com/x) `[b](c)`\n\n```\n[d](e)\n```\n[f](g)"

    assert list(links(text)) == [(6, "g")]


def test_what_looks_like_a_heading_in_code_is_none() -> None:
    assert anchors("```\n# comment\n```\n# Heading") == {"heading"}


def test_every_markdown_file_but_installed_and_hidden_ones_is_read(tree: Path) -> None:
    for path in ("node_modules/x.md", ".venv/y.md", "docs/z.md"):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text("z")

    assert [source.path for source in markdown_sources(tree)] == ["README.md", "docs/z.md"]
