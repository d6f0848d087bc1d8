"""Twin of tools/checks/dockerfile.py, and a proof of the Dockerfile's own steps, without an engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sidecar
from sidecar.transport.native.codec import API_VERSION
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


def copy(rest: str, stage: Path, top: Path) -> None:
    """Do what COPY does, from the repository, or with `--from` from the directory of an earlier stage."""
    *names, target = rest.split()
    root = ROOT
    if names[0].startswith("--from="):
        earlier = top / names.pop(0).removeprefix("--from=")
        names, root = [name.removeprefix("/") for name in names], earlier
    for name in names:
        if (root / name).is_dir():
            shutil.copytree(root / name, stage / target, ignore=shutil.ignore_patterns("__pycache__", "target"))
        else:
            shutil.copy(root / name, stage / target)


def run(command: str, stage: Path) -> None:
    """Do what RUN does, with the image's absolute paths moved under the stage's directory and pip's cache in use."""
    for absolute in ("/tools/", "/tools ", "/opt/sidecar"):
        command = command.replace(f" {absolute}", f" {stage}{absolute}")
    command = command.removeprefix(" ").replace("--no-cache-dir ", "")
    path = f"{stage.parent}/bin:{os.environ['PATH']}"
    # Why cargo's own directory: what native/ depends on was compiled there by `make setup`.
    cargo = {"CARGO_TARGET_DIR": str(ROOT / "native" / "target")}
    environment = os.environ | cargo | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=stage / "build",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage by its name; the last stage has none."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for _, word, rest in instructions(source("Dockerfile")):
        if word == "FROM":
            name = rest.partition(" AS ")[2]
            found[name] = []
        else:
            found[name].append((word, rest))
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo: the image's first stage cannot be tried")
def test_the_steps_of_the_build_stages_leave_a_daemon_that_runs_with_the_native_wire(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("python", "python3"):
        (tmp_path / "bin" / name).symlink_to(Path(sys.executable).resolve())

    for name, steps in stages().items():
        stage = tmp_path / name
        (stage / "build").mkdir(parents=True, exist_ok=True)
        for word, rest in steps if name else ():
            if word == "COPY":
                copy(rest, stage / "build", tmp_path)
            elif word == "RUN" and not re.search("chown|apt-get", rest):
                run(f" {rest}", stage)

    installed = tmp_path / "build" / "opt" / "sidecar"
    said = subprocess.run(
        [installed / "bin" / "sidecar", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert sidecar.__version__ in said.stdout
    codec = [str(installed / "bin" / "python"), "-c", "import decision_sidecar_native as n; print(n.API_VERSION)"]
    found = subprocess.run(codec, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == f"{API_VERSION}\n"
    assert list(installed.glob("lib/*/site-packages/sidecar/__pycache__/__init__.*.pyc"))
    assert not list(installed.glob("lib/*/site-packages/pip"))
