"""Twin of tools/checks/suppressions.py."""

import pytest

from tools.checks.suppressions import find
from tools.checks.tree import Source


def texts(comment: str, path: str = "tools/x.py") -> list[str]:
    return [finding.text for finding in find(Source(path=path, text=f"x = 1  {comment}\n"))]


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa",
        "# no" + "qa: S608",
        "# no" + "qa: S608, PLR2004",
        "# ty" + "pe: ignore[attr-defined]",
        "# prag" + "ma: no cover",
        "# py" + "lint: disable=too-many-lines",
        "# fm" + "t: skip",
        "# no" + "qa: S608 - ok",
        "# why first # no" + "qa: S608",
    ],
)
def test_a_suppression_without_a_reason_is_found(comment: str) -> None:
    assert len(texts(comment)) == 1


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa: S608 - the table's name is a constant",
        "# no" + "qa: S608, PLR2004 - both are constants",
        "# ty" + "pe: ignore[attr-defined]  # the stub lacks this method",
        "# prag" + "ma: no cover - runs in a child process",
        "# a comment about notes and query types",
    ],
)
def test_a_suppression_with_a_reason_passes(comment: str) -> None:
    assert texts(comment) == []


def test_no_reason_excuses_an_ignored_type_in_the_daemon() -> None:
    comment = "# ty" + "pe: ignore[attr-defined]  # the stub lacks this method"

    assert "`type: ignore` in sidecar/" in texts(comment, "sidecar/x.py")[0]


def test_a_directive_inside_a_string_is_no_suppression() -> None:
    assert find(Source(path="tools/x.py", text='x = "# no' + 'qa"\n')) == []
