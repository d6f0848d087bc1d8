"""The programs of the languages: which are here, built, and spoken to a line at a time."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
ANSWER_S = 60.0
"""How long a program may take for one step on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """An entry of programs.json: what it needs to be here, how it is built, how it is started; both in the root."""

    name: str
    needs: str
    build: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def is_here(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or shutil.which(self.needs) is not None

    def make(self) -> None:
        """Build it; raises CalledProcessError, after showing why."""
        if self.build:
            subprocess.run(self.build, cwd=ROOT, check=True)


def languages() -> list[Language]:
    """Every language of programs.json, in its order."""
    listed: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "programs.json").read_text())
    return [
        Language(name=name, needs=one["needs"], build=tuple(one["build"]), command=tuple(one["command"]))
        for name, one in listed.items()
    ]


class Program:
    """One run of a program, as a context manager; at the end `complaints` is what it wrote to standard error."""

    def __init__(self, language: Language, environment: Mapping[str, str]) -> None:
        self.complaints = ""
        self._errors = TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            language.command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
        )
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(ANSWER_S if kind is None else 1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.seek(0)
        self.complaints = self._errors.read().decode(errors="replace")
        self._errors.close()

    def answer(self, step: Mapping[str, Any]) -> bytes:
        """The line that it answers a step with; text that says so when it ended or is late."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(step).encode() + b"\n")
        except BrokenPipeError:
            return b"the program has ended"
        return self._line()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._read:
            ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_S)
            if not ready:
                return f"the program was silent for {ANSWER_S} s".encode()
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                return b"the program has ended"
            self._read += more
        answered, _, self._read = self._read.partition(b"\n")
        return answered
