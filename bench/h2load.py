"""Load: unary gRPC calls by `h2load` (Debian: nghttp2-client), one request repeated, on a core of its own.

h2load sees HTTP alone, not the status in the trailers: whoever loads checks what the server counted.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FINISHED: Final = re.compile(r"finished in ([\d.]+)(us|ms|s), ")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_PATIENCE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many calls, over how many connections, how many in flight on each."""

    calls: int
    connections: int = 4
    streams: int = 10

    @property
    def in_flight(self) -> int:
        """Calls in flight, all connections together."""
        return self.connections * self.streams


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one run took: wall seconds, the median time of a call, and what one call in a hundred takes or more."""

    wall_s: float
    median_s: float
    p99_s: float


def missing() -> str:
    """Why nothing can be loaded, "" when all is there."""
    names = [name for name in ("h2load", "taskset") if shutil.which(name) is None]
    return f"{' and '.join(names)} not found (Debian: nghttp2-client, util-linux)" if names else ""


def load(address: str, method: str, request: bytes, shape: Shape, core: int) -> Loaded:
    """Call a method so many times with the same request. Raises `RuntimeError` unless each call got HTTP 200.

    `address` is `HOST:PORT` or `unix:PATH`.
    """
    # Why a name of no meaning: the address is what --base-uri says, this is what the server reads as its own name.
    target = (
        (f"http://localhost{method}", "--base-uri", address)
        if address.startswith("unix:")
        else (f"http://{address}{method}",)
    )
    with tempfile.TemporaryDirectory() as directory:
        body, times = Path(directory, "body"), Path(directory, "times")
        # The frame of a gRPC message: not compressed, its length, its bytes.
        body.write_bytes(b"\0" + len(request).to_bytes(4, "big") + request)
        output = subprocess.run(
            [
                *("taskset", "--cpu-list", str(core), "h2load", *target),
                *("-n", str(shape.calls), "-c", str(shape.connections), "-m", str(shape.streams)),
                *("-t", "1", "-d", str(body), f"--log-file={times}"),
                *("-H", "content-type: application/grpc", "-H", "te: trailers"),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
        ).stdout
        taken_s = _taken_s(times)
    finished = _FINISHED.search(output)
    if finished is None or f"{shape.calls} succeeded, 0 failed, 0 errored, 0 timeout" not in output:
        raise RuntimeError(f"h2load did not succeed:\n{output}")
    return Loaded(
        wall_s=float(finished[1]) * _SECONDS[finished[2]],
        median_s=statistics.median(taken_s),
        p99_s=statistics.quantiles(taken_s, n=100)[98],
    )


def _taken_s(times: Path) -> list[float]:
    """The time of each call. Lines are: start, HTTP status, microseconds."""
    return [int(line.split("\t")[2]) / 1e6 for line in times.read_text().splitlines()]
