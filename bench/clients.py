"""`make bench-clients`: what a Decide costs its caller, in each language that is here, as one table.

    python -m bench.clients [--language L …] [--calls N]

One sidecar on the first core, the client on the last. Each language's program (clients/*/bench) makes its calls one
after another, then with 64 in flight, and, where Optimizely has an SDK for it, as many in process; it prints a line of
JSON for each. CPU is that of the client's process. Leaves with 1 when a program fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine
from bench.daemon import Configured, nobody, running
from bench.processes import ROOT, Cores

CALLS: Final = 20_000
ALONE: Final = "one after another"
BESIDE: Final = "64 in flight"
SDK: Final = "sdk"
TINY_CALLS: Final = 256
PROGRAM_S_MAX: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How a language's bench is built and started, in the root of the tree; `needs` is the executable it wants."""

    needs: str
    builds: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One line of a program: what a call took, in microseconds."""

    language: str
    mode: str
    calls: int
    us: float
    cpu_us: float


def programs(*, optimized: bool = True) -> Mapping[str, Program]:
    """Every language's, by its name; `optimized` False takes the build of Rust that the tests have."""
    profile, directory = ("release", "release") if optimized else ("dev", "debug")
    maven = ("mvn", "-q", "-B", "-Dstyle.color=never")
    without = ("-DskipTests", "-Dmaven.javadoc.skip", "-Dspotless.check.skip")
    cargo = ("cargo", "build", "--quiet", "--locked", "--manifest-path", "clients/rust/Cargo.toml")
    return {
        "python": Program(needs="", builds=(), command=(sys.executable, "-m", "clients.python.bench")),
        "go": Program(
            needs="go",
            builds=(("go", "build", "-C", "clients/go", "-o", "../../.cache/go/bench", "./bench"),),
            command=(".cache/go/bench",),
        ),
        "java": Program(
            needs="mvn",
            builds=(
                (*maven, "-f", "clients/java", "install", *without),
                (*maven, "-f", "clients/java/bench", "compile"),
            ),
            command=("clients/java/bench/run",),
        ),
        "typescript": Program(
            needs="npm",
            builds=((sys.executable, "-m", "tools.checks.typescript", "bench"),),
            command=("node", "clients/typescript/build/bench/main.js"),
        ),
        "rust": Program(
            needs="cargo",
            builds=((*cargo, "--profile", profile, "--package", "sidecar-client-bench"),),
            command=(f"clients/rust/target/{directory}/sidecar-client-bench",),
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the languages asked for, all that are here for none, and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.clients", description="Measures what a call costs a client.")
    parser.add_argument("--language", action="append", default=[], help="only these; a missing one is then an error")
    parser.add_argument("--calls", type=int, default=CALLS, help="of each mode")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    listed = programs(optimized=not given.tiny)
    if unknown := [name for name in given.language if name not in listed]:
        parser.error(f"language is `{unknown[0]}`, wanted one of {', '.join(listed)}")
    cores, calls = Cores.of_machine(), TINY_CALLS if given.tiny else given.calls
    found: list[Spent] = []
    failed = False
    for name in given.language or listed:
        program = listed[name]
        if program.needs and shutil.which(program.needs) is None and not given.language:
            print(f"{name}: left out, `{program.needs}` is not installed", file=sys.stderr)
            continue
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            found += measured(name, program, calls, cores)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    print(f"{machine.described(cores)}\n\n{render(found)}")
    return 1 if failed else 0


def measured(language: str, program: Program, calls: int, cores: Cores) -> list[Spent]:
    """Build, start a sidecar, run. Raises `RuntimeError` when a mode is missing, SubprocessError when it fails."""
    for build in program.builds:
        subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with (
        tempfile.TemporaryDirectory() as name,
        nobody() as endpoint,
        running(Configured(endpoint=endpoint), cores, Path(name)) as daemon,
    ):
        done = subprocess.run(
            ["taskset", "--cpu-list", str(cores.load), *program.command],
            cwd=ROOT,
            env={
                **os.environ,
                "SIDECAR_ADDRESS": daemon.address,
                "BENCH_CALLS": str(calls),
                "PYTHONPATH": os.pathsep.join((str(ROOT), f"{ROOT}/clients/python/src")),
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=PROGRAM_S_MAX,
        )
    spent = list(read(done.stdout.splitlines()))
    if missing := {ALONE, BESIDE} - {one.mode for one in spent}:
        raise RuntimeError(f"the bench of {language} did not measure {', '.join(sorted(missing))}:\n{done.stdout}")
    return spent


def read(lines: Iterable[str]) -> Iterator[Spent]:
    """The lines of JSON among what a program printed."""
    for line in lines:
        if line.startswith("{"):
            given = json.loads(line)
            transport = given.get("transport")
            yield Spent(
                language=f"{given['language']}, {transport}" if transport else given["language"],
                mode=given["mode"],
                calls=given["calls"],
                us=given["us_per_call"],
                cpu_us=given["client_cpu_us_per_call"],
            )


def render(found: Sequence[Spent]) -> str:
    """The table; the last column is the client's CPU in shares of that language's SDK."""
    of_sdk = {one.language: one.cpu_us for one in found if one.mode == SDK}
    lines = [_line("client", "mode", ("calls", "µs a call", "its CPU, µs", "of the SDK")), "-" * 92]
    for one in found:
        sdk = of_sdk.get(one.language.partition(",")[0])
        share = f"{one.cpu_us / sdk:.2f}" if sdk else ""
        mode = "Optimizely's SDK, in process" if one.mode == SDK else one.mode
        lines.append(_line(one.language, mode, (f"{one.calls:,}", f"{one.us:.1f}", f"{one.cpu_us:.1f}", share)))
    return "\n".join(lines)


def _line(language: str, mode: str, figures: Sequence[str]) -> str:
    return f"{language:18} {mode:28}{''.join(f'{figure:>12}' for figure in figures)}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
