"""The Rust client as its users have it: its own tests, its samples against a real sidecar, and a newcomer's project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import ROOT, Daemon
from tests.support.toolchains import require

CLIENT = ROOT / "clients" / "rust"
SAMPLES = {"first_decision", "first_event", "errors", "testing", "watch"}
"""The same five in every language: clients/DESIGN.md."""


def cargo(*arguments: str, directory: Path = CLIENT) -> str:
    """What cargo printed; fails the test, with what it said, when it fails. All share what is built."""
    done = subprocess.run(
        [require("cargo"), *arguments],
        cwd=directory,
        env={**os.environ, "CARGO_TARGET_DIR": str(CLIENT / "target")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"cargo {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    require("cargo")
    configuration = {"datafile": str(ROOT / "examples" / "shop.json")}
    with Daemon(tmp_path_factory.mktemp("shop"), configuration) as daemon:
        yield daemon.start()


def sample(name: str, *arguments: str) -> str:
    return cargo("run", "--quiet", "--locked", "--example", name, "--", *arguments)


@pytest.mark.timeout(700)
def test_its_own_tests_samples_and_readme_hold() -> None:
    cargo("test", "--quiet", "--locked", "--features", "tls,opentelemetry,rust_decimal")


@pytest.mark.timeout(700)
def test_it_builds_with_no_feature() -> None:
    cargo("check", "--quiet", "--locked", "--package", "decision-sidecar-client", "--no-default-features")


@pytest.mark.timeout(700)
def test_the_samples_run_against_a_sidecar(shop: Daemon) -> None:
    assert {path.stem for path in (CLIENT / "samples").iterdir()} == SAMPLES
    address = shop.addresses[0]
    assert sample("first_decision", address).startswith("checkout_redesign: ")
    assert sample("first_event", address) == "console: QUEUED\n"
    refused = sample("errors", address).splitlines()
    assert any(line.startswith("event_key: ") for line in refused)
    assert refused[-1] == "control, because SIDECAR_UNAVAILABLE: UNAVAILABLE"
    assert sample("testing") == "both hold\n"
    assert sample("watch", address, "1").startswith("revision 41 from ")


@pytest.mark.timeout(700)
def test_a_newcomer_runs_the_readme_in_an_empty_directory(shop: Daemon, tmp_path: Path) -> None:
    """Install from the repository's path, paste the first snippet, run it."""
    snippet = re.findall(r"```rust,no_run\n(use .*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)[0]
    cargo("init", "--quiet", "--vcs", "none", "--name", "newcomer", directory=tmp_path)
    # Why ours: the versions that are here already, so that nothing is fetched and little is built.
    shutil.copy(CLIENT / "Cargo.lock", tmp_path)
    cargo("add", "--quiet", "--path", str(CLIENT), directory=tmp_path)
    cargo("add", "--quiet", "tokio", "--features", "macros,rt-multi-thread", directory=tmp_path)
    (tmp_path / "src" / "main.rs").write_text(snippet.replace("127.0.0.1:8013", shop.addresses[0]))
    assert re.fullmatch(r"checkout_redesign: \w+, \d+ steps\n", cargo("run", "--quiet", directory=tmp_path))
