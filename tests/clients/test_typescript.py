"""The TypeScript client as its users have it: its own tests, its samples, and a newcomer's project."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import ROOT, Daemon
from tests.support.toolchains import alone, require
from tools.checks import typescript

CLIENT = ROOT / "clients" / "typescript"


def run(*command: str | Path, directory: Path = CLIENT) -> str:
    """What a command printed; fails the test, with what it said, when it fails."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built() -> None:
    require("npm")
    with alone("npm"):
        assert typescript.main(["build"]) == 0


@pytest.fixture(scope="module")
def shop(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = {"datafile": str(ROOT / "examples" / "shop.json")}
    with Daemon(tmp_path_factory.mktemp("shop"), configuration) as daemon:
        yield daemon.start()


@pytest.mark.timeout(400)
def test_its_own_tests_hold(built: None) -> None:
    told = run(require("node"), "--test", "build/tests/")
    assert "# fail 0" in told


def test_the_samples_run_against_a_sidecar(shop: Daemon) -> None:
    node, address = require("node"), shop.addresses[0]

    def sample(name: str, *arguments: str) -> str:
        return run(node, f"build/samples/{name}.js", address, *arguments)

    assert sample("first_decision").startswith("checkout_redesign: ")
    assert "QUEUED" in sample("first_event")
    assert "control, because SIDECAR_UNAVAILABLE: " in sample("errors")
    assert sample("watch", "1").startswith("revision 41 from ")


@pytest.mark.timeout(400)
def test_a_newcomer_installs_it_and_runs_the_page(shop: Daemon, tmp_path: Path) -> None:
    told = run(CLIENT / "newcomer.sh", tmp_path / "project", shop.addresses[0])
    assert "steps" in told or told == ""


def test_what_is_published_holds_no_tests_and_no_stubs_in_its_surface(built: None) -> None:
    packed = json.loads(run(require("npm"), "pack", "--dry-run", "--json", "--ignore-scripts"))
    listed = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    paths = {one["path"] for one in listed["files"]}
    assert {"package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "dist/testing.js"} <= paths
    assert not [path for path in paths if path.startswith(("build/", "tests/", "src/", "node_modules/"))]
    assert set(json.loads((CLIENT / "package.json").read_text())["exports"]) == {".", "./testing"}
