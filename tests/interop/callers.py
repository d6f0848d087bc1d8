"""What a caller is asked and answers: programs of five gRPC stacks that know no message type, bytes in and bytes out.

A caller reads one plan from standard input, makes its calls in order over one channel, and prints a line of JSON for
each: name, code, message, details (`grpc-status-details-bin`), initial and trailing (the two echoes of the
interoperability suite) and replies. Bytes are hex. On a bidirectional stream a request waits for the reply before it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from tests.interop import building

TIMEOUT_MS: Final = 20_000
_OWN_WORDS: Final = frozenset({1, 4})
"""CANCELLED and DEADLINE_EXCEEDED: said by the caller's own stack or by the server, each in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `cancel_after` so many replies; 0 never. A value of a `-bin` key is hex."""

    name: str
    kind: Literal["unary", "server_stream", "bidi"]
    method: str
    requests: Sequence[str]
    metadata: Sequence[tuple[str, str]] = ()
    timeout_ms: int = TIMEOUT_MS
    cancel_after: int = 0
    gzip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the server is: HOST:PORT, or the path of a socket; `ca` and `server_name` are for `tls`."""

    network: Literal["tcp", "unix", "tls"]
    address: str
    ca: str = ""
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one call ended; of a status that caller and server may both give, whoever is first, the code alone."""

    name: str
    code: int
    message: str
    details: str
    initial: str
    trailing: str
    replies: Sequence[str]


CALLERS: Final[dict[str, Callable[[], Sequence[str | Path]]]] = {
    "grpcio": lambda: [sys.executable, Path(__file__).with_name("caller.py")],
    "grpc-go": building.go_caller,
    "grpc-js": building.js_caller,
    "grpc-java": building.java_caller,
    "tonic": building.rust_caller,
}


def run(command: Sequence[str | Path], target: Target, calls: Sequence[Call]) -> dict[str, Result]:
    """Have a caller make these calls; returns their results by name. Fails when it ends before the last."""
    plan = json.dumps({**asdict(target), "calls": [asdict(one) for one in calls]})
    done = subprocess.run(command, input=plan, capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"exit {done.returncode} after {len(lines)} calls: {done.stderr[-4000:]}"
    results = [_result(line) for line in lines]
    assert [one.name for one in results] == [one.name for one in calls], done.stderr[-4000:]
    return {one.name: one for one in results}


def _result(line: str) -> Result:
    fields = json.loads(line)
    if fields["code"] in _OWN_WORDS:
        fields["message"] = fields["details"] = ""
    return Result(**fields)
