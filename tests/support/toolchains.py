"""Toolchains of other languages that tests drive: a missing one skips loudly, and fails where `CI` is set."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

LOCKS: Final = Path(__file__).parents[2] / ".cache" / "locks"


def require(program: str) -> str:
    """The path of a program such as `go`, `cargo`, `node` or `mvn`; without it the test skips, or fails in CI."""
    found = shutil.which(program)
    if found is None:
        missing(f"`{program}` is not on the path")
    return found


def missing(what: str) -> NoReturn:
    """End the test because of something that this machine lacks: failed in CI, which must have all, else skipped."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; CI wants every toolchain that a test drives")
    pytest.skip(what)


@contextmanager
def alone(program: str) -> Iterator[None]:
    """Hold off every other build by `program`: test files run in two processes, which build in the same directories."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / (program or "python")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
