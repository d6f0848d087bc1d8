"""The pages about all clients show what the pages and samples of each client have, which are compiled and run."""

from __future__ import annotations

import re
import textwrap

import pytest

from tests.docs.reading import blocks, page, section
from tools.checks.tree import ROOT

LANGUAGES = {"Python": "python", "Go": "go", "TypeScript": "typescript", "Java": "java", "Rust": "rust"}
SECTIONS = ("First decision", "First event", "When something fails", "Testing your code", "Tracing", "Connection")
SAMPLES = {"first_decision", "first_event", "errors", "testing", "watch"}


def first_snippet(text: str) -> str:
    found = re.search(r"^```[\w,]+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("title", LANGUAGES)
def test_the_first_decision_beside_the_others_is_that_of_the_clients_own_page(title: str) -> None:
    own = section(f"clients/{LANGUAGES[title]}/README.md", "First decision")
    assert first_snippet(section("clients/README.md", title)) == first_snippet(own)


def test_the_readme_has_a_first_call_in_each_language_that_is_in_its_sample() -> None:
    shown = {found[1]: block for block in blocks("README.md") if (found := re.search(r"lines of (\S+),", block.mark))}
    assert {path.split("/")[1] for path in shown} == set(LANGUAGES.values()) - {"python"}
    for path, block in shown.items():
        lines = (ROOT / path).read_text()
        assert any(block.text in textwrap.dedent(rest) + "\n" for rest in endings(lines)), path


def endings(text: str) -> list[str]:
    """The text from each of its lines on, until the indentation is less than that of this line."""
    lines = text.splitlines()
    found = []
    for place, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        rest = lines[place:]
        shallower = (at for at, one in enumerate(rest) if one.strip() and len(one) - len(one.lstrip()) < depth)
        found.append("\n".join(rest[: next(shallower, len(rest))]))
    return found


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_the_page_of_each_client_has_the_same_sections_and_tells_what_a_call_costs(language: str) -> None:
    headings = re.findall(r"^## (.+)$", page(f"clients/{language}/README.md"), re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)
    assert "What a call costs" in headings


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_each_client_has_the_five_samples(language: str) -> None:
    files = (ROOT / "clients" / language / "samples").rglob("*.*")
    named = {path.parent.name if path.stem == "main" else path.stem for path in files}
    spelt = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in named}
    told = {"watch_datafile": "watch", "checkout": "testing", "checkout_test": "testing"}
    assert {told.get(name, name) for name in spelt if name != "__init__"} == SAMPLES
