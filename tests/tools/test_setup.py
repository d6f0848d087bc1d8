"""`tools/setup.sh`: which interpreter it takes, and how it goes on without cargo or a C compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
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
    assert ran.stderr == f"setup: {cause}: gRPC will be served by grpcio, at a twentieth of the speed\n"


def test_a_codec_that_is_required_and_cannot_be_built_is_an_error(tmp_path: Path) -> None:
    ran = setup_native(tmp_path, native="require")
    assert ran.returncode == 1
    assert ran.stderr.startswith("setup: no cargo is on the path, and NATIVE=require;")


def interpreter(directory: Path, *, named: str = "", python3: str = "exit 1", uv: bool = True) -> str:
    """Which one is taken on a path where `python3` is a script of these words."""
    for name, words in (("python3", python3), ("uv", "exit 0" if uv else "exit 1")):
        script = directory / name
        script.write_text(f"#!/bin/bash\n{words}\n")
        script.chmod(0o755)
    ran = subprocess.run(
        ["bash", "tools/setup.sh", "python"],
        cwd=ROOT,
        env={"PATH": f"{directory}:/usr/bin:/bin", "PYTHON": named},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return ran.stdout.strip()


def test_the_interpreter_that_was_named_is_taken(tmp_path: Path) -> None:
    assert interpreter(tmp_path, named=sys.executable) == sys.executable


def test_an_optimised_python3_is_taken(tmp_path: Path) -> None:
    assert interpreter(tmp_path, python3="exit 0") == "python3"


def test_a_slow_build_gives_way_to_the_system_s_own(tmp_path: Path) -> None:
    new_enough = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], capture_output=True, check=False
    )
    if new_enough.returncode:
        pytest.skip("the system has no Python 3.11 or newer of its own")
    assert interpreter(tmp_path) == "/usr/bin/python3"
    # Without uv the environment is made by ensurepip, which that one may lack.
    assert interpreter(tmp_path, uv=False) == "python3"
