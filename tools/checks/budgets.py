"""Watches the tails: the longest file, the longest function, the widest import list.

The house wants two thirds of these bounds: 300 lines a file, 40 a function.

Lines are lines of the file, docstrings and comments too: a reader scrolls past them all the same.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.checks.tree import Finding, Source, python_sources, report

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
IMPORTS_MAX = 12
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One size of one place; `name` is the function's, else empty."""

    kind: str
    path: str
    line: int
    name: str
    size: int
    size_max: int


def measure(source: Source) -> Iterator[Measure]:
    """Measure one Python file: its lines, its import statements, and each of its functions."""
    tree = ast.parse(source.text)
    path = source.path
    yield Measure(kind="file", path=path, line=1, name="", size=len(source.text.splitlines()), size_max=FILE_LINES_MAX)
    # The root imports what it wires; that is all it does.
    if not path.startswith(("sidecar/app.py", "sidecar/app/")):
        imports = sum(map(_couples, ast.walk(tree)))
        yield Measure(kind="imports", path=path, line=1, name="", size=imports, size_max=IMPORTS_MAX)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Measure(
                kind="function",
                path=path,
                line=node.lineno,
                name=node.name,
                size=size,
                size_max=FUNCTION_LINES_MAX,
            )


def _couples(node: ast.AST) -> bool:
    """Whether a node is an import that ties the module to another part; the standard library is everybody's."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] not in sys.stdlib_module_names
    if isinstance(node, ast.Import):
        return any(name.name.partition(".")[0] not in sys.stdlib_module_names for name in node.names)
    return False


def find(measures: Iterable[Measure]) -> list[Finding]:
    """List the measures that are above their bound."""
    return [
        Finding(
            path=m.path,
            line=m.line,
            text=f"{m.kind} {m.name} is {m.size}, at most {m.size_max}".replace("  ", " "),
        )
        for m in measures
        if m.size > m.size_max
    ]


def worst(measures: Iterable[Measure], kind: str) -> str:
    """Name the five largest of a kind, largest first, on one line."""
    largest = sorted((m for m in measures if m.kind == kind), key=lambda m: -m.size)[:_SHOWN]
    return f"{kind}: " + ", ".join(f"{m.size} {m.path}{':' if m.name else ''}{m.name}" for m in largest)


def main() -> int:
    """Check the daemon and the Python client; print the worst five of each kind whatever the outcome."""
    measures = [m for source in python_sources("sidecar", "clients/python/src") for m in measure(source)]
    for kind in ("file", "function", "imports"):
        print(worst(measures, kind))
    return report(find(measures))


if __name__ == "__main__":
    sys.exit(main())
