"""The Go client as its users have it: its own tests, its samples against a real sidecar, and a newcomer's project."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import ROOT, Daemon
from tests.support.toolchains import require

CLIENT = ROOT / "clients" / "go"
MODULE = "decision-sidecar.dev/sidecar"
SAMPLES = {"first_decision", "first_event", "errors", "testing", "watch"}
"""The same five in every language: clients/DESIGN.md."""
AROUND_FRAGMENTS = """package main

import (
	"context"
	"fmt"
	"testing"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/sidecartest"
)

func checkout(context.Context, *sidecar.Client) { fmt.Println() }
"""


def go(*arguments: str, directory: Path = CLIENT) -> str:
    """What the go command printed; fails the test, with what it said, when it fails."""
    done = subprocess.run(
        [require("go"), *arguments],
        cwd=directory,
        env={**os.environ, "GOFLAGS": "-mod=mod" if directory != CLIENT else "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"go {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    require("go")
    configuration = {"datafile": str(ROOT / "examples" / "shop.json")}
    with Daemon(tmp_path_factory.mktemp("shop"), configuration) as daemon:
        yield daemon.start()


@pytest.mark.timeout(400)
def test_its_own_tests_hold_under_the_race_detector() -> None:
    go("test", "-race", "-timeout=120s", "./...")


@pytest.mark.timeout(400)
def test_tracing_holds_in_a_module_of_its_own() -> None:
    go("-C", "sidecarotel", "test", "./...")


@pytest.mark.timeout(400)
def test_the_samples_run_against_a_sidecar(shop: Daemon) -> None:
    assert {path.name for path in (CLIENT / "samples").iterdir()} == SAMPLES
    address = shop.addresses[0]
    assert go("run", "./samples/first_decision", address).startswith("checkout_redesign: ")
    assert go("run", "./samples/first_event", address) == "console: QUEUED\n"
    refused = go("run", "./samples/errors", address).splitlines()
    assert any(line.startswith("event_key: ") for line in refused)
    assert refused[-1] == "control, because SIDECAR_UNAVAILABLE: UNAVAILABLE"
    assert go("run", "./samples/watch", address, "1").startswith("revision 41 from ")


def program_of(fragments: list[str]) -> str:
    """The fragments of the page in one file: functions as they stand, anything else in a function of its own."""
    file = AROUND_FRAGMENTS
    for place, fragment in enumerate(fragments):
        if fragment.startswith("func "):
            file += f"\n{fragment}"
            continue
        used = "".join(f"\n_, _ = {names}" for names in re.findall(r"^(\w+, \w+) :=", fragment, re.MULTILINE))
        signature = "ctx context.Context, client *sidecar.Client, user sidecar.User"
        file += f"\nfunc fragment{place}({signature}) error {{\n{fragment}{used}\nreturn nil\n}}\n"
    return file


@pytest.mark.timeout(400)
def test_a_newcomer_runs_the_readme_in_an_empty_directory(shop: Daemon, tmp_path: Path) -> None:
    """Install from the repository's path, paste the first snippet, run it; all other snippets compile beside it."""
    page = (CLIENT / "README.md").read_text()
    snippet, *fragments = re.findall(r"```go\n(.*?)```", page, re.DOTALL)
    assert snippet.startswith("package main")
    (tmp_path / "main.go").write_text(snippet.replace("127.0.0.1:8013", shop.addresses[0]))
    go("mod", "init", "newcomer.example/shop", directory=tmp_path)
    go("mod", "edit", "-replace", f"{MODULE}={CLIENT}", directory=tmp_path)
    # Why a version: with it, no proxy is asked which there are.
    go("get", f"{MODULE}@v0.0.0", directory=tmp_path)
    assert re.fullmatch(r"\w+ \d+\n", go("run", ".", directory=tmp_path))
    assert len(fragments) >= 3
    (tmp_path / "page_test.go").write_text(program_of(fragments))
    go("vet", ".", directory=tmp_path)
