"""The bench of the clients at a size that means nothing: every language is built, measured and listed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.clients import ALONE, BESIDE, SDK, Spent, main, programs, render
from tests.support.toolchains import alone, require

WITH_SDK = {"python", "java", "typescript"}
"""Where Optimizely's SDK is measured beside the client; clients/README.md says why not elsewhere."""


# Why so long: from a clean clone, a build downloads what it needs.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", programs())
def test_each_language_has_its_rows(language: str) -> None:
    needs = programs()[language].needs
    if needs:
        require(needs)
    with alone(needs):
        ran = subprocess.run(
            [sys.executable, "-m", "bench.clients", "--tiny", "--language", language],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    rows = [line for line in ran.stdout.splitlines() if line.startswith(language)]
    assert any(f" {ALONE} " in row for row in rows)
    assert any(f" {BESIDE} " in row for row in rows)
    assert any(" in process " in row for row in rows) is (language in WITH_SDK)


def test_cpu_is_told_in_shares_of_the_sdk_of_the_same_language() -> None:
    sdk = Spent(language="python", mode=SDK, calls=10, us=50.0, cpu_us=40.0)
    client = Spent(language="python, native", mode=ALONE, calls=10, us=90.0, cpu_us=10.0)
    other = Spent(language="rust", mode=ALONE, calls=10, us=90.0, cpu_us=10.0)
    shown = render([client, sdk, other]).splitlines()
    assert [line.split()[-1] for line in shown[2:]] == ["0.25", "1.00", "10.0"]


def test_an_unknown_language_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--language", "cobol"])
    said = capsys.readouterr().err
    assert "`cobol`" in said
    assert all(name in said for name in programs())
