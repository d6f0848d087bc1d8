"""The table "What happens when" of docs/operations.md names a test in each row, and each fault's test has its row."""

import ast
from pathlib import Path

from tests.docs.reading import section, words
from tools.checks.tree import ROOT

FAULTS = [*(ROOT / "tests" / "e2e").glob("test_faults_*.py"), ROOT / "tests" / "e2e" / "test_soak.py"]
WITHOUT_A_ROW = {
    "test_an_answer_that_breaks_off_after_its_status_line_is_an_answer",  # no fault for whoever operates it
    "test_with_durability_process_replies_do_not_wait_for_a_sync",  # shows that the one of `power` can fail
}


def names_in(path: Path) -> set[str]:
    functions = ast.parse(path.read_text(encoding="utf-8")).body
    return {one.name for one in functions if isinstance(one, ast.AsyncFunctionDef) and one.name.startswith("test_")}


def test_each_row_of_what_happens_when_is_proven_by_a_test_that_exists_and_no_fault_lacks_its_row() -> None:
    rows = [line for line in section("docs/operations.md", "What happens when").splitlines() if line.startswith("| ")]
    # The first is the head; the row of dashes begins without a blank.
    named = [words(row.rpartition(" | ")[2])[0] for row in rows[1:]]

    assert sorted(named) == sorted(set().union(*map(names_in, FAULTS)) - WITHOUT_A_ROW)
