"""Twin of tools/checks/dockerfile.py, and a proof of the Dockerfile's own steps, without an engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sidecar
from tools.checks.dockerfile import find, instructions
from tools.checks.tree import ROOT, Source, source

GOOD = """\
FROM python:3.11.11-slim AS build
RUN apt-get install gcc
FROM python:3.11.11-slim
COPY --from=build /a /a
USER 65532:65532
HEALTHCHECK --timeout=3s CMD ["a"]
ENTRYPOINT ["a"]
"""


def faults(text: str) -> list[str]:
    return [finding.text for finding in find(Source(path="Dockerfile", text=text))]


def test_a_compiler_in_an_earlier_stage_passes() -> None:
    assert faults(GOOD) == []


def test_our_dockerfile_passes() -> None:
    assert find(source("Dockerfile")) == []


def test_an_earlier_stage_is_a_base_that_needs_no_pin() -> None:
    assert faults(GOOD.replace("FROM python:3.11.11-slim\n", "FROM build\n")) == []


@pytest.mark.parametrize(
    ("was", "is_now", "fault"),
    [
        ("FROM python:3.11.11-slim\n", "FROM python:latest\n", "base `python:latest` is not pinned exactly"),
        ("FROM python:3.11.11-slim\n", "FROM python:3\n", "base `python:3` is not pinned exactly"),
        ("FROM python:3.11.11-slim AS build", "FROM python AS build", "base `python` is not pinned exactly"),
        ("USER 65532:65532\n", "", "no USER in the last stage"),
        ("HEALTHCHECK --timeout=3s CMD [", "# [", "no HEALTHCHECK in the last stage"),
        ('CMD ["a"]', "CMD a", "HEALTHCHECK in shell form"),
        ('ENTRYPOINT ["a"]', "ENTRYPOINT a", "ENTRYPOINT in shell form: signals would not reach the daemon"),
        (
            "COPY --from=build /a /a",
            "RUN apt-get update && \\\n apt-get install gcc",
            "`gcc` in the last stage",
        ),
        (
            "65532:65532",
            "root",
            "user `root` is not numeric and other than 0: a pod with runAsNonRoot would not start",
        ),
        (
            "65532:65532",
            "0",
            "user `0` is not numeric and other than 0: a pod with runAsNonRoot would not start",
        ),
    ],
)
def test_what_the_image_must_not_do_is_found(was: str, is_now: str, fault: str) -> None:
    assert faults(GOOD.replace(was, is_now)) == [fault]


def copy(rest: str, build: Path) -> None:
    """Do what COPY does, from the repository to the build stage."""
    *names, target = rest.split()
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, build / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, build / target)


def run(command: str, build: Path, top: Path) -> None:
    """Do what RUN does, with the image's absolute paths moved under `top` and pip's cache in use."""
    for absolute in ("/tools/", "/tools ", "/opt/sidecar"):
        command = command.replace(f" {absolute}", f" {top}{absolute}")
    command = command.removeprefix(" ").replace("--no-cache-dir ", "")
    path = f"{top}/bin:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=build,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_steps_of_the_build_stage_leave_a_daemon_that_runs(tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    steps = instructions(source("Dockerfile"))
    second_stage = [index for index, (_, word, _) in enumerate(steps) if word == "FROM"][1]

    for _, word, rest in steps[:second_stage]:
        if word == "COPY":
            copy(rest, build)
        elif word == "RUN" and "chown" not in rest:
            run(f" {rest}", build, tmp_path)

    installed = tmp_path / "opt" / "sidecar"
    said = subprocess.run(
        [installed / "bin" / "sidecar", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert sidecar.__version__ in said.stdout
    assert list(installed.glob("lib/*/site-packages/sidecar/__pycache__/__init__.*.pyc"))
    assert not list(installed.glob("lib/*/site-packages/pip"))
