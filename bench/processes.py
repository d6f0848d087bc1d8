"""Processes under measurement: started on a core of their own, their CPU and memory read from outside.

What is measured is the process with all its threads. Linux alone: cores are pinned, memory comes from /proc.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
READY_S_MAX: Final = 60.0
_POLL_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the measured server runs, and where everything that loads it does; the same where there is only one."""

    server: int
    load: int

    @classmethod
    def of_machine(cls) -> Cores:
        """The first and the last core that this process may use."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[-1])


@dataclass(frozen=True, slots=True)
class Measured:
    """A running process. `log` is what it wrote to standard error and output."""

    pid: int
    log: Path

    def cpu_s(self) -> float:
        """CPU seconds since its start, user and system, of all its threads that live or lived.

        Why not /proc/PID/stat: it counts in ticks of 10 ms, this clock in nanoseconds. Source: clock_getcpuclockid(3),
        whose clock id is made of the complement of the process id and CPUCLOCK_SCHED.
        """
        return time.clock_gettime(~self.pid << 3 | 2)

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Resident memory by a field of /proc/PID/status: VmRSS all, RssAnon its own, VmHWM the most it ever was."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, kib = line.partition(":")
            if name == field:
                return int(kib.split()[0]) / 1024
        raise KeyError(field)

    def wait_for(self, word: str) -> str:
        """The first line of its log with a word in it. Raises `RuntimeError` when it ends first or takes too long."""
        deadline_s = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline_s:
            text = self.log.read_text(errors="replace")
            for line in text.splitlines(keepends=True):
                if word in line and line.endswith("\n"):
                    return line
            if self._ended():
                break
            time.sleep(_POLL_S)
        raise RuntimeError(f"no line with `{word}` from process {self.pid}:\n{self.log.read_text()[-2000:]}")

    def _ended(self) -> bool:
        """Whether it is a child that waits to be reaped: its state is the first word after its name."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@contextlib.contextmanager
def started(
    arguments: Sequence[str],
    core: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    program: str = sys.executable,
) -> Iterator[Measured]:
    """Run `python …`, or another program, from the root of the tree on one core; ended with SIGTERM, then by force."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("SIDECAR_")}
    # Why: a start is measured with its bytecode compiled, as it is installed.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("wb") as output:
        # Why taskset: the child is on its core from its first instruction on, and no code of ours runs after fork.
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), program, *arguments],
            cwd=ROOT,
            env={**inherited, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Measured(process.pid, log)
    finally:
        process.terminate()
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
