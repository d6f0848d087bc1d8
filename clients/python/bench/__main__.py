"""What a Decide costs its caller: `SIDECAR_ADDRESS=… python -m clients.python.bench`, a line of JSON for each mode.

Blocking and asyncio, one call after another and 64 in flight, over each transport, and one after another over a Unix
socket where `SIDECAR_UNIX_ADDRESS` names one; beside them optimizely-sdk, which decides in process: with its events
dropped, and, to the collector that `BENCH_COLLECTOR` names, with its events sent. The same user, flag and datafile for
all. The modes take turns; each line is the median of its rounds. CPU is this process's own, user and system, of all its
threads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import sidecar_client
from sidecar_client import aio
from sidecar_client.settings import TransportName

USER, FLAG = "user-1", "flag_0"
ATTRIBUTES: Final[Any] = {"country": "us", "age": 42}
IN_FLIGHT: Final = 64
TIMEOUT_S: Final = 10.0
WIRES: Final[tuple[TransportName, ...]] = ("native", "grpcio")


@dataclass(slots=True)
class Mode:
    """A way to ask. `run` makes so many calls; what each round took is added to the lists, in µs a call."""

    transport: str
    name: str
    run: Callable[[int], object]
    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, calls: int) -> None:
        """One round."""
        started_s, cpu_s = time.perf_counter(), _cpu_s()
        self.run(calls)
        self.cpu.append((_cpu_s() - cpu_s) / calls * 1e6)
        self.took.append((time.perf_counter() - started_s) / calls * 1e6)

    def line(self, calls: int) -> str:
        """What is printed."""
        return json.dumps(
            {
                "language": "python",
                "transport": self.transport,
                "mode": self.name,
                "calls": calls,
                "us_per_call": round(median(self.took), 2),
                "client_cpu_us_per_call": round(median(self.cpu), 2),
            }
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m clients.python.bench")
    told = os.environ.get("BENCH_CALLS", "20000")
    parser.add_argument("--calls", type=int, default=int(told), help="of each mode, all rounds together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--modes", default="", help="of these alone, divided by `;`: `one after another;sdk`")
    parser.add_argument("--transports", default=",".join(WIRES))
    given = parser.parse_args()
    address = os.environ["SIDECAR_ADDRESS"]
    modes = [mode for wire in WIRES if wire in given.transports.split(",") for mode in _over(address, wire)]
    if unix := os.environ.get("SIDECAR_UNIX_ADDRESS"):
        modes.append(Mode("native", "Unix socket, one after another", _alone(unix, "native")))
    modes += _sdk()
    modes = [mode for mode in modes if not given.modes or mode.name in given.modes.split(";")]
    calls = max(given.calls // given.rounds, IN_FLIGHT)
    for mode in modes:
        mode.run(max(calls // 4, IN_FLIGHT))
    for _ in range(given.rounds):
        for mode in modes:
            mode.measure(calls)
    for mode in modes:
        print(mode.line(calls * given.rounds), flush=True)  # noqa: T201 - what a program is for


def _alone(address: str, wire: TransportName) -> Callable[[int], None]:
    """One call after another. Raises ValueError when the transport is not there."""
    client = sidecar_client.connect(address, transport=wire, strict=True, decide_timeout_s=TIMEOUT_S)
    if not client.wait_ready(TIMEOUT_S):
        sys.exit(f"no sidecar at {address} is ready")
    user = client.user(USER, ATTRIBUTES)

    def alone(calls: int) -> None:
        for _ in range(calls):
            user.decide(FLAG)

    return alone


def _over(address: str, wire: TransportName) -> list[Mode]:
    """The modes of one transport. Raises as `_alone`."""
    alone = _alone(address, wire)

    def threads(calls: int) -> None:
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for done in [pool.submit(alone, calls // IN_FLIGHT) for _ in range(IN_FLIGHT)]:
                done.result()

    return [
        Mode(wire, "one after another", alone),
        Mode(wire, "64 in flight", threads),
        Mode(wire, "asyncio, one after another", lambda calls: asyncio.run(_asked(address, wire, calls, 1))),
        Mode(wire, "asyncio, 64 in flight", lambda calls: asyncio.run(_asked(address, wire, calls, IN_FLIGHT))),
    ]


async def _asked(address: str, wire: TransportName, calls: int, in_flight: int) -> None:
    async with aio.connect(address, transport=wire, strict=True, decide_timeout_s=TIMEOUT_S) as client:
        user = client.user(USER, ATTRIBUTES)

        async def alone() -> None:
            for _ in range(calls // in_flight):
                await user.decide(FLAG)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(in_flight):
                tasks.create_task(alone())


def _sdk() -> list[Mode]:
    from clients.python.bench import sdk  # noqa: PLC0415 - of no use to the other modes, and slow to load

    asked = (USER, ATTRIBUTES, FLAG)
    collector = os.environ.get("BENCH_COLLECTOR")
    sent = [Mode("", "sdk, its events sent", sdk.sending(*asked, collector))] if collector else []
    return [Mode("", "sdk", sdk.dropping(*asked)), *sent]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
