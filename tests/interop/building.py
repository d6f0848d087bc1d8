"""Builds the programs of others and our callers, each in its language's own way, into `.cache/interop`, out of git.

A program is built again when its sources or its lock change; workers of one test run wait for each other. Toolchains
keep their downloads where they always do.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.support.daemon import ROOT
from tests.support.toolchains import require

HERE: Final = Path(__file__).parent
CACHE: Final = ROOT / ".cache" / "interop"
BIN: Final = CACHE / "bin"
BUILD_S: Final = 540
"""How long one build may take, downloads of a first one included."""

GO_PROGRAMS: Final = {
    "client": "google.golang.org/grpc/interop/client",
    "h2spec": "github.com/summerwind/h2spec/cmd/h2spec",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    "ghz": "github.com/bojand/ghz/cmd/ghz",
    "caller": "./caller",
}


def go_program(name: str) -> Path:
    """The path of a program of `GO_PROGRAMS`, built from the versions that go.sum pins; skips without Go."""
    go = require("go")
    built = BIN / name

    def build() -> None:
        flags = ["-mod=readonly", "-ldflags=-s -w"]
        _run([go, "build", *flags, "-o", built, GO_PROGRAMS[name]], HERE / "go")

    _once(f"go-{name}", [HERE / "go"], build)
    return built


def go_caller() -> Sequence[str | Path]:
    """The command of the grpc-go caller."""
    return [go_program("caller")]


def js_caller() -> Sequence[str | Path]:
    """The command of the @grpc/grpc-js caller; skips without Node."""
    node, npm = require("node"), require("npm")
    directory = CACHE / "js"

    def build() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", "caller.js"):
            shutil.copy(HERE / "js" / name, directory / name)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], directory)

    _once("js", [HERE / "js"], build)
    return [node, directory / "caller.js"]


def java_caller() -> Sequence[str | Path]:
    """The command of the grpc-java caller; skips without a JDK and Maven."""
    java, maven = require("java"), require("mvn")
    directory = CACHE / "java"
    classpath = directory / "classpath"

    def build() -> None:
        goals = ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={classpath}"]
        _run([maven, "--batch-mode", "--quiet", f"-Dinterop.build={directory}", *goals], HERE / "java")

    _once("java", [HERE / "java"], build)
    libraries = f"{directory / 'classes'}:{classpath.read_text()}"
    # Why: a JVM that lives for a second starts fastest with its first compiler and its simplest collector.
    return [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp", libraries, "interop.Caller"]


def rust_caller() -> Sequence[str | Path]:
    """The command of the tonic caller; skips without cargo."""
    cargo = require("cargo")

    def build() -> None:
        _run([cargo, "build", "--locked", "--quiet", "--target-dir", CACHE / "rust"], HERE / "rust")

    _once("rust", [HERE / "rust"], build)
    return [CACHE / "rust" / "debug" / "interop-tonic"]


def _once(name: str, sources: Sequence[Path], build: Callable[[], None]) -> None:
    """Build unless what is there was made of these very sources."""
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp = CACHE / f"{name}.stamp"
    # Why one lock of all: a build takes every core that there is.
    with _locked(CACHE / "lock"):
        wanted = _digest(sources)
        if not stamp.exists() or stamp.read_text() != wanted:
            build()
            stamp.write_text(wanted)


def _digest(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(source)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str | Path], directory: Path) -> None:
    done = subprocess.run(
        command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert done.returncode == 0, f"{command[0]} failed in {directory}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
