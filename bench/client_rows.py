"""What a Decide costs its caller, in Python: the client's own CPU, against deciding in process with optimizely-sdk.

Two things are compared, and both are bound. *A decision and its event*: the SDK as its users have it, which sends an
event of each decision in batches, by a thread of its own. *The decision alone*: the SDK with its events dropped. The
client's side is the same in both, for who asks the sidecar has no more to do.

A lone call is a sleep and two wake-ups, so where both processes run matters as much as what they run. Apart, each on a
core of its own as in all other rows, each call wakes another core, and wakes up on a cold one. On one core, as the
scheduler has it on a busy machine, it is a change of processes. The first is bound, the second shown.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.daemon import Configured, nobody, running
from bench.processes import ROOT, started
from bench.scale import Scale
from bench.table import Row
from sidecar.transport.native import codec

CPU_SHARE_MAX: Final = 0.5
"""Of what the SDK spends: asking the sidecar is cheaper for a Python service than deciding by itself."""
_NAME: Final = "client of Python, CPU of a Decide"
_ALONE: Final = "one after another"
_UNIX: Final = "Unix socket, one after another"
_SHOWN: Final = ("64 in flight", "asyncio, one after another", "asyncio, 64 in flight")
_SENT: Final = "sdk, its events sent"
_DROPPED: Final = "sdk"


def python(scale: Scale) -> Iterator[Row]:
    """The Python client over its native transport, the sidecar's destination down."""
    if reason := codec.missing():
        yield Row(name=_NAME, bound=CPU_SHARE_MAX, at_most=True, skipped=reason)
        return
    apart, together = _measured(scale, apart=True), _measured(scale, apart=False)
    yield from _rows(f"{_NAME} and its event", apart, _SENT, CPU_SHARE_MAX)
    for mode in _SHOWN:
        yield _row(f"  {mode}", apart[mode], apart[_SENT])
    yield from _rows("  the decision alone", apart, _DROPPED, CPU_SHARE_MAX)
    yield from _rows("  the decision alone, on the sidecar's core", together, _DROPPED)


def _rows(name: str, spent: Mapping[str, float], sdk: str, bound: float | None = None) -> Iterator[Row]:
    yield _row(f"{name}, TCP", spent[_ALONE], spent[sdk], bound)
    yield _row(f"{name}, Unix", spent[_UNIX], spent[sdk], bound)


def _row(name: str, ours: float, sdk: float, bound: float | None = None) -> Row:
    return Row(
        name=name,
        ours=f"{ours:.1f} µs",
        yardstick=f"optimizely-sdk {sdk:.1f} µs",
        figure=ours / sdk,
        bound=bound,
        at_most=True,
    )


def _measured(scale: Scale, *, apart: bool) -> dict[str, float]:
    """CPU a call by mode, in µs. Raises `RuntimeError` when the client fails."""
    with tempfile.TemporaryDirectory() as name, nobody() as endpoint:
        socket, directory = f"unix:{name}/s", Path(name)
        configured = Configured(endpoint=endpoint, transport="native", listen_also=(socket,))
        with (
            running(configured, scale.cores, directory) as daemon,
            # Why on the server's core: what takes the SDK's events is no part of its process.
            started(("-m", "bench.collector"), scale.cores.server, directory / "collector.log") as collector,
        ):
            environment = {
                "SIDECAR_ADDRESS": daemon.address,
                "SIDECAR_UNIX_ADDRESS": socket,
                "BENCH_COLLECTOR": f"http://{collector.wait_for('listening on').split()[-1]}/",
                "PYTHONPATH": os.pathsep.join((str(ROOT), f"{ROOT}/clients/python/src")),
            }
            modes = "" if apart else f"{_ALONE};{_UNIX};{_DROPPED}"
            sizes = ("--calls", str(2 * scale.calls), "--rounds", str(scale.rounds), "--modes", modes)
            arguments = ("-m", "clients.python.bench", "--transports", "native", *sizes)
            log = directory / "client.log"
            core = scale.cores.load if apart else scale.cores.server
            with started(arguments, core, log, environment) as client:
                client.wait_for(f'"mode": "{_SENT if apart else _DROPPED}"')
            lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["mode"]: line["client_cpu_us_per_call"] for line in lines}
