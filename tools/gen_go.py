"""Generate the Go client's protobuf package, `clients/go/internal/pb`; called by `tools.gen`, which has the command.

The plugins are pinned by `clients/go/tools/go.mod` and built into `.cache/go`; protoc is that of `tools.gen`. Where no
Go is, this says so and holds, unless CI is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CLIENT: Final = ROOT / "clients" / "go"
DIRECTORY: Final = CLIENT / "internal" / "pb"
PLUGINS: Final = ROOT / ".cache" / "go" / "plugins"
IMPORT_PATH: Final = "decision-sidecar.dev/sidecar/internal/pb"
_COMMANDS: Final = ("google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc")
_STATUS: Final = "Mgoogle/rpc/status.proto=google.golang.org/genproto/googleapis/rpc/status"


def run(python: Path, *, check: bool) -> list[Path]:
    """Generate with the protoc of `python`, or with `check` only compare; the files that were stale, sorted.

    Raises CalledProcessError when a plugin cannot be built, and SystemExit without Go in CI.
    """
    if shutil.which("go") is None:
        print("SKIPPED: no go is on the path, so that clients/go/internal/pb was not generated", file=sys.stderr)
        if os.environ.get("CI"):
            raise SystemExit("CI wants every toolchain that a generator drives")
        return []
    with tempfile.TemporaryDirectory() as scratch:
        fresh = _generate(python, Path(scratch))
    present = {path.name: path.read_text() for path in DIRECTORY.glob("*.go")}
    stale = sorted(DIRECTORY / name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name))
    if not check:
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        for path in stale:
            if path.name in fresh:
                path.write_text(fresh[path.name])
            else:
                path.unlink()
    return stale


def _generate(python: Path, scratch: Path) -> dict[str, str]:
    """The text of each file, by file name."""
    PLUGINS.mkdir(parents=True, exist_ok=True)
    build = ["go", "build", "-modfile=tools/go.mod", "-o", f"{PLUGINS}/", *_COMMANDS]
    subprocess.run(build, cwd=CLIENT, check=True)
    protos = sorted((ROOT / "proto" / "sidecar" / "v1").glob("*.proto"))
    # Why not option go_package: where a client's stubs live is the client's business, not the contract's.
    names = [path.relative_to(ROOT / "proto").as_posix() for path in protos]
    places = [*(f"M{name}={IMPORT_PATH}" for name in names), _STATUS, f"module={IMPORT_PATH}"]
    plugins = [f"--plugin={name}={PLUGINS / name}" for name in ("protoc-gen-go", "protoc-gen-go-grpc")]
    outputs = [
        f"--go_out={scratch}",
        f"--go-grpc_out={scratch}",
        f"--go_opt={','.join(places)}",
        f"--go-grpc_opt={','.join(places)}",
    ]
    roots = [f"-I{ROOT / 'proto'}", f"-I{ROOT / 'proto' / 'vendor'}"]
    protoc: list[str | Path] = [python, "-m", "grpc_tools.protoc", *roots, *plugins, *outputs, *protos]
    subprocess.run(protoc, check=True)
    return {path.name: path.read_text() for path in sorted(scratch.glob("*.go"))}
