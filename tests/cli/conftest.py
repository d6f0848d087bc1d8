"""Runs commands in this process, and writes the files that they read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import main
from tests.decision.building import document


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]
Write = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a datafile with changed sections under a name; its path."""

    def written(name: str = "datafile.json", **changes: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(document(**changes)), encoding="utf-8")
        return str(path)

    return written
