"""Run every check, two at a time, and say of each whether it holds: `python -m tools.checks [NAME…]`.

All steps run, also after a failure: one run shows everything that is wrong. A step that holds says one line;
one that fails says all that its tool printed, under its name.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.checks.tree import ROOT

_BIN = Path(sys.executable).parent
# Two: mypy takes one core for most of the run, everything else fits beside it.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One check: its name, its command, and whether its output is worth reading when it holds."""

    name: str
    command: tuple[str, ...]
    speaks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended, what it printed, and how long it took in seconds."""

    step: Step
    status: int
    output: str
    took_s: float

    def __str__(self) -> str:
        heading = f"{'ok  ' if self.status == 0 else 'FAIL'} {self.step.name} ({self.took_s:.1f} s)"
        if self.status == 0 and not self.step.speaks:
            return heading
        return "\n".join([heading, *(f"     {line}" for line in self.output.splitlines())])


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(_BIN / name), *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


# Longest first, so that the rest runs beside it.
STEPS = (
    Step(name="types: mypy", command=_tool("mypy")),
    Step(name="native lint: cargo clippy", command=_module("tools.checks.native", "clippy"), speaks=True),
    Step(name="native format: cargo fmt", command=_module("tools.checks.native", "fmt"), speaks=True),
    Step(name="native crates: cargo deny", command=_module("tools.checks.native", "deny"), speaks=True),
    Step(name="go client: gofmt", command=_module("tools.checks.go", "fmt"), speaks=True),
    Step(name="go client: go vet", command=_module("tools.checks.go", "vet"), speaks=True),
    Step(name="go client: staticcheck", command=_module("tools.checks.go", "staticcheck"), speaks=True),
    Step(name="rust client: cargo clippy", command=_module("tools.checks.rust", "clippy"), speaks=True),
    Step(name="rust client: cargo doc", command=_module("tools.checks.rust", "doc"), speaks=True),
    Step(name="rust client: cargo fmt", command=_module("tools.checks.rust", "fmt"), speaks=True),
    Step(name="java client: javac and spotless", command=_module("tools.checks.java", "lint"), speaks=True),
    Step(name="typescript client: eslint, prettier", command=_module("tools.checks.typescript", "lint"), speaks=True),
    Step(name="typescript client: typedoc", command=_module("tools.checks.typescript", "docs"), speaks=True),
    Step(name="lint: ruff check", command=_tool("ruff", "check", "--quiet", ".")),
    Step(name="format: ruff format", command=_tool("ruff", "format", "--check", "--quiet", ".")),
    Step(name="layers: lint-imports", command=_tool("lint-imports", "--no-logo")),
    Step(name="contract: buf lint", command=_tool("buf", "lint")),
    Step(name="stubs are fresh: tools.gen --check", command=_module("tools.gen", "--check")),
    Step(name="docs are fresh: tools.docs --check", command=_module("tools.docs", "--check")),
    Step(name="suppressions have reasons", command=_module("tools.checks.suppressions")),
    Step(name="budgets", command=_module("tools.checks.budgets"), speaks=True),
    Step(name="tasks have owners", command=_module("tools.checks.tasks")),
    Step(name="locks name no registry", command=_module("tools.checks.locks")),
    Step(name="image: Dockerfile", command=_module("tools.checks.dockerfile")),
)


def run(step: Step) -> Outcome:
    """Run one step to its end, in the root of the repository."""
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return Outcome(step=step, status=done.returncode, output=done.stdout, took_s=time.monotonic() - started)


def run_all(steps: Sequence[Step]) -> int:
    """Run the steps, print each outcome in their order, then the names that failed; 1 if any did."""
    failed = []
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for outcome in pool.map(run, steps):
            print(outcome, flush=True)
            if outcome.status != 0:
                failed.append(outcome.step.name)
    if failed:
        print(f"{len(failed)} of {len(steps)} checks failed: {'; '.join(failed)}")
    return 1 if failed else 0


def main(arguments: Sequence[str]) -> int:
    """Run all steps, or those whose name holds one of `arguments`; naming none that exists is an error."""
    chosen = [step for step in STEPS if not arguments or any(word in step.name for word in arguments)]
    if not chosen:
        print(f"no check is named `{' '.join(arguments)}`; there are: {', '.join(step.name for step in STEPS)}")
        return 2
    return run_all(chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
