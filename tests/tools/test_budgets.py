"""Twin of tools/checks/budgets.py."""

from tools.checks.budgets import FILE_LINES_MAX, FUNCTION_LINES_MAX, IMPORTS_MAX, find, measure, worst
from tools.checks.tree import Source


def findings(text: str, path: str = "sidecar/x.py") -> list[str]:
    return [finding.text for finding in find(measure(Source(path=path, text=text)))]


def function_of(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


def test_a_file_may_be_as_long_as_its_bound_and_no_longer() -> None:
    assert findings("x = 1\n" * FILE_LINES_MAX) == []
    assert findings("x = 1\n" * (FILE_LINES_MAX + 1)) == [f"file is {FILE_LINES_MAX + 1}, at most {FILE_LINES_MAX}"]


def test_a_function_may_be_as_long_as_its_bound_and_no_longer() -> None:
    assert findings(function_of(FUNCTION_LINES_MAX)) == []
    assert findings(function_of(FUNCTION_LINES_MAX + 1)) == [
        f"function f is {FUNCTION_LINES_MAX + 1}, at most {FUNCTION_LINES_MAX}"
    ]


def test_import_statements_are_counted_wherever_they_stand() -> None:
    text = "import a\n" * IMPORTS_MAX + "def f():\n    from b import c\n"

    assert findings(text) == [f"imports is {IMPORTS_MAX + 1}, at most {IMPORTS_MAX}"]


def test_the_root_may_import_all_that_it_wires() -> None:
    text = "import a\n" * (IMPORTS_MAX + 1)

    assert findings(text, "sidecar/app.py") == findings(text, "sidecar/app/wiring.py") == []


def test_the_worst_are_named_largest_first() -> None:
    text = function_of(3) + function_of(9).replace("f()", "g()")

    assert worst(measure(Source(path="a.py", text=text)), "function") == "function: 9 a.py:g, 3 a.py:f"
