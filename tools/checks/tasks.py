"""A task has an owner: no bare `create_task` or `ensure_future` but in the root and in the transports.

The one TaskGroup is the root's, the set of call tasks is the transport's. Elsewhere a task may be started
only in a TaskGroup: one that is entered in the same file, or that is handed over under its type.
"""

import ast
import sys
from collections.abc import Iterator

from tools.checks.tree import Finding, Source, python_sources, report

_OWNERS = ("sidecar/app.py", "sidecar/app/", "sidecar/transport/")
_STARTERS = frozenset({"create_task", "ensure_future"})


def _last_name(node: ast.expr | None) -> str:
    """Give `c` for `a.b.c`, empty for anything that has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _groups(tree: ast.AST) -> Iterator[str]:
    """Name what holds a TaskGroup: `async with TaskGroup() as x`, arguments and fields typed `TaskGroup`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem):
            if isinstance(node.context_expr, ast.Call) and _last_name(node.context_expr.func) == "TaskGroup":
                yield _last_name(node.optional_vars)
        elif isinstance(node, ast.arg) and _last_name(node.annotation) == "TaskGroup":
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and _last_name(node.annotation) == "TaskGroup":
            yield _last_name(node.target)


def find(source: Source) -> list[Finding]:
    """List the calls of one Python file that start a task without an owner."""
    if source.path.startswith(_OWNERS):
        return []
    tree = ast.parse(source.text)
    groups = set(_groups(tree)) - {""}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _last_name(node.func) not in _STARTERS:
            continue
        if isinstance(node.func, ast.Attribute) and _last_name(node.func.value) in groups:
            continue
        text = f"`{ast.unparse(node.func)}` starts a task that nobody owns; start it in the root's TaskGroup"
        found.append(Finding(path=source.path, line=node.lineno, text=text))
    return found


def main() -> int:
    """Check the daemon."""
    return report(finding for source in python_sources("sidecar") for finding in find(source))


if __name__ == "__main__":
    sys.exit(main())
