"""Generate the messages of the Java client from `proto/`; called by `tools.gen`, which has the command.

What a client sends and reads, no more: the services that it does not call have no classes. No gRPC plugin: the
client's transport carries bytes, so it needs messages alone. protoc and the protos of protobuf itself come from Maven,
pinned, into `.cache/`. Where no mvn is, this says so and holds, unless CI is set.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PROTO: Final = ROOT / "proto"
DIRECTORY: Final = ROOT / "clients/java/src/main/java/dev/decisionsidecar/internal/pb"
PACKAGE: Final = "dev.decisionsidecar.internal.pb"
FILES: Final = ("classic", "datafile", "decision", "event", "explain", "reason", "tracking", "value")
"""What the client uses, and what those files import."""
VERSION: Final = "3.25.8"
"""protoc 25, the last of Java's protobuf 3: its output runs under every later runtime; as in clients/java/pom.xml."""
COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
CACHE: Final = ROOT / ".cache" / "gen-java"
_MACHINES: Final = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch_64", "arm64": "aarch_64"}
_SYSTEMS: Final = {"Linux": "linux", "Darwin": "osx"}
_STYLE: Final = "option java_multiple_files = true;"


def run(*, check: bool) -> list[Path]:
    """Generate, or with `check` only compare; the files that were missing, superfluous or stale, sorted.

    Raises CalledProcessError when protoc must be fetched and no Maven repository answers, and SystemExit without `mvn`
    in CI.
    """
    mvn = shutil.which("mvn")
    if mvn is None:
        print(
            "SKIPPED: no mvn is on the path, so that the messages of clients/java were not generated", file=sys.stderr
        )
        if os.environ.get("CI"):
            raise SystemExit("CI wants every toolchain that a generator drives")
        return []
    fresh = generated(mvn)
    present = {path.name: path.read_text() for path in DIRECTORY.glob("*.java")}
    stale = sorted(DIRECTORY / name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name))
    if not check:
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        for path in stale:
            if path.name in fresh:
                path.write_text(fresh[path.name])
            else:
                path.unlink()
    return stale


def generated(mvn: str) -> dict[str, str]:
    """Return the text of each class by file name. Raises CalledProcessError when protoc cannot be had."""
    protoc, bundled = compiler(mvn)
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch, "proto"), Path(scratch, "java")
        output.mkdir()
        protos = [managed(name, source) for name in FILES]
        roots = [f"-I{source}", f"-I{PROTO / 'vendor'}", f"-I{bundled}"]
        subprocess.run([protoc, *roots, f"--java_out={output}", *protos], check=True)
        return {path.name: path.read_text() for path in sorted(output.rglob("*.java"))}


def managed(name: str, target: Path) -> Path:
    """Copy one proto with Java's options set, as buf's managed mode does; return the copy.

    Why not in `proto/`: the package of one client's private classes is no part of the contract.
    """
    text = (PROTO / "sidecar" / "v1" / f"{name}.proto").read_text()
    options = f'option java_package = "{PACKAGE}"; option java_outer_classname = "{name.capitalize()}Proto";'
    copy = target / "sidecar" / "v1" / f"{name}.proto"
    copy.parent.mkdir(parents=True, exist_ok=True)
    # One class a file: eight files to commit instead of two for each message. The line count stays, for protoc's sake.
    copy.write_text(re.sub(re.escape(_STYLE), options, text, count=1))
    return copy


def compiler(mvn: str) -> tuple[Path, Path]:
    """Return protoc and the directory of protobuf's own protos; fetch both when they are not as pinned."""
    platform_name = f"{_SYSTEMS[platform.system()]}-{_MACHINES[platform.machine()]}"
    artifacts = (
        f"com.google.protobuf:protoc:{VERSION}:exe:{platform_name}",
        f"com.google.protobuf:protobuf-java:{VERSION}",
    )
    place = CACHE / hashlib.sha256(" ".join(artifacts).encode()).hexdigest()[:12]
    protoc, bundled = place / f"protoc-{VERSION}-{platform_name}.exe", place / "proto"
    if bundled.is_dir():
        return protoc, bundled
    for artifact in artifacts:
        subprocess.run(
            [mvn, "-q", "-B", "-Dstyle.color=never", COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={place}"],
            cwd=ROOT,
            check=True,
        )
    protoc.chmod(0o755)
    with zipfile.ZipFile(place / f"protobuf-java-{VERSION}.jar") as jar:
        unpacked = place / "unpacked"
        jar.extractall(unpacked, [name for name in jar.namelist() if name.endswith(".proto")])
    unpacked.rename(bundled)  # Last: a directory without it is unfinished and is fetched anew.
    return protoc, bundled
