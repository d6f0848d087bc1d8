"""`tools/setup.sh native`: without cargo or a C compiler the rest goes on, unless it was told to require the codec."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.checks.tree import ROOT

NEEDED = ("bash", "cat", "dirname", "env", "find", "sha256sum", "sort", "xargs")


def setup_native(directory: Path, *programs: str, native: str = "auto") -> subprocess.CompletedProcess[str]:
    """Run it with a path that has these programs alone."""
    for name in (*NEEDED, *programs):
        found = shutil.which(name)
        directory.joinpath(name).symlink_to(found or "/bin/true")
    return subprocess.run(
        ["bash", "tools/setup.sh", "native"],
        cwd=ROOT,
        env={"PATH": str(directory), "NATIVE": native},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@pytest.mark.parametrize(
    ("programs", "native", "cause"),
    [
        ([], "auto", "no cargo is on the path"),
        (["cargo"], "auto", "no C compiler (cc) is on the path"),
        (["cargo", "cc"], "off", "NATIVE is off"),
    ],
)
def test_what_is_missing_is_said_in_one_line_and_is_no_error(
    tmp_path: Path, programs: list[str], native: str, cause: str
) -> None:
    ran = setup_native(tmp_path, *programs, native=native)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr == f"setup: {cause}: gRPC will be served by grpcio, at an eighth of the speed\n"


def test_a_codec_that_is_required_and_cannot_be_built_is_an_error(tmp_path: Path) -> None:
    ran = setup_native(tmp_path, native="require")
    assert ran.returncode == 1
    assert ran.stderr.startswith("setup: no cargo is on the path, and NATIVE=require;")
