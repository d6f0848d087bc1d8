"""Generate the messages of the TypeScript client from `proto/`: called by `python -m tools.gen`, which has the command.

Only what the client calls, and what that imports: a package of npm is downloaded by each of its users. The generator
is ts-proto, pinned by the client's package-lock.json with the rest of its tools, and driven by the
protoc of `tools.gen`. Why it, and why not protobuf-es: its code writes and reads each field straight, where
protobuf-es walks a descriptor, and this is the path of every decision. Where no npm is, this says so and holds, unless
CI is set.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PROTO: Final = ROOT / "proto"
CLIENT: Final = ROOT / "clients" / "typescript"
DIRECTORY: Final = CLIENT / "src" / "internal" / "pb"
PROTOS: Final = (
    "sidecar/v1/decision.proto",
    "sidecar/v1/tracking.proto",
    "sidecar/v1/datafile.proto",
    "google/rpc/error_details.proto",
)
OPTIONS: Final = (
    "env=node",
    "esModuleInterop=true",
    "importSuffix=.js",
    "forceLong=bigint",
    "oneof=unions-value",
    "useMapType=true",
    "outputJsonMethods=false",
    "outputServices=none",
    "outputClientImpl=false",
    "unrecognizedEnum=false",
    "useExactTypes=false",
    "annotateFilesWithVersion=false",
)


def run(python: Path, *, check: bool) -> list[Path]:
    """Generate with the protoc of `python`, or with `check` only compare; the files that were stale, sorted.

    Raises CalledProcessError when the generator cannot be installed, and SystemExit without npm in CI.
    """
    if shutil.which("npm") is None:
        where = DIRECTORY.relative_to(ROOT)
        print(f"SKIPPED: no npm is on the path, so that {where} was not generated", file=sys.stderr)
        if os.environ.get("CI"):
            raise SystemExit("CI wants every toolchain that a generator drives")
        return []
    install()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = _generate(python, Path(scratch))
    present = {path: path.read_text() for path in DIRECTORY.rglob("*.ts")}
    stale = sorted(path for path in fresh.keys() | present.keys() if fresh.get(path) != present.get(path))
    if not check:
        _replace(stale, fresh)
    return stale


def install(directory: Path = CLIENT) -> None:
    """Install what package-lock.json there names, unless it is there as locked. Raises CalledProcessError."""
    lock, installed = directory / "package-lock.json", directory / "node_modules" / ".package-lock.json"
    # Why a lock: the steps of `make check` run side by side, and each of three installs what it needs.
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
            installed.touch()


def _generate(python: Path, scratch: Path) -> dict[Path, str]:
    """The text of each file, by its path."""
    plugin = CLIENT / "node_modules" / ".bin" / "protoc-gen-ts_proto"
    outputs = [f"--plugin=protoc-gen-ts_proto={plugin}", f"--ts_proto_out={','.join(OPTIONS)}:{scratch}"]
    protoc: list[str | Path] = [python, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{PROTO / 'vendor'}"]
    subprocess.run([*protoc, *outputs, *PROTOS], check=True)
    return {DIRECTORY / path.relative_to(scratch): path.read_text() for path in sorted(scratch.rglob("*.ts"))}


def _replace(stale: Iterable[Path], fresh: Mapping[Path, str]) -> None:
    for path in stale:
        if path in fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fresh[path])
        else:
            path.unlink()
