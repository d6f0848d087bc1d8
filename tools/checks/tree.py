"""The repository as the checks see it: which files, how a finding is said. Nothing else here reads files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Generated, installed or built: nobody wrote these, nobody can mend them.
_NOT_OURS = frozenset({"pb", "node_modules", "build", "dist", "target", "__pycache__"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One broken rule at one place; `line` counts from 1."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of text; `path` is relative to the repository, with `/`."""

    path: str
    text: str


def python_sources(*roots: str) -> Iterator[Source]:
    """Read all hand-written Python files under `roots`, in order of path; an absent root holds none."""
    for root in roots:
        for path in sorted((ROOT / root).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if not any(part in _NOT_OURS or part.startswith(".") for part in relative.parts):
                yield Source(path=relative.as_posix(), text=path.read_text(encoding="utf-8"))


def source(path: str) -> Source:
    """Read one file of the repository; raises `OSError` where it is absent."""
    return Source(path=path, text=(ROOT / path).read_text(encoding="utf-8"))


def report(findings: Iterable[Finding]) -> int:
    """Print findings in order of place; return the exit status, 1 if there are any."""
    ordered = sorted(findings)
    for finding in ordered:
        print(finding)
    return 1 if ordered else 0
