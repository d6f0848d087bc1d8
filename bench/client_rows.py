"""What a Decide costs its caller, in Python: the client's own CPU, against deciding in process with optimizely-sdk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.daemon import Configured, nobody, running
from bench.processes import started
from bench.scale import Scale
from bench.table import Row
from sidecar.transport.native import codec

CPU_SHARE_MAX: Final = 0.5
"""Of what the SDK spends: asking the sidecar is cheaper for a Python service than deciding by itself."""
_NAME: Final = "client of Python, CPU of a Decide"
_ALONE: Final = "one after another"
_BESIDE: Final = ("64 in flight", "asyncio, one after another", "asyncio, 64 in flight")
_ROOT: Final = Path(__file__).parent.parent


def python(scale: Scale) -> Iterator[Row]:
    """The Python client over its native transport, the destination down; the SDK's impression is dropped."""
    if reason := codec.missing():
        yield Row(name=_NAME, bound=CPU_SHARE_MAX, at_most=True, skipped=reason)
        return
    with (
        tempfile.TemporaryDirectory() as name,
        nobody() as endpoint,
        running(Configured(endpoint=endpoint, transport="native"), scale.cores, Path(name)) as daemon,
    ):
        spent = _measured(daemon.address, scale, Path(name, "client"))
    sdk = spent["sdk"]
    for mode in (_ALONE, *_BESIDE):
        yield Row(
            name=f"{_NAME}, {mode}" if mode == _ALONE else f"  {mode}",
            ours=f"{spent[mode]:.1f} µs",
            yardstick=f"optimizely-sdk {sdk:.1f} µs",
            figure=spent[mode] / sdk,
            bound=CPU_SHARE_MAX if mode == _ALONE else None,
            at_most=True,
        )


def _measured(address: str, scale: Scale, log: Path) -> dict[str, float]:
    """CPU a call by mode, in µs. Raises `RuntimeError` when the client fails."""
    sizes = ("--calls", str(2 * scale.calls), "--rounds", str(scale.rounds))
    source = {"SIDECAR_ADDRESS": address, "PYTHONPATH": os.pathsep.join((str(_ROOT), f"{_ROOT}/clients/python/src"))}
    arguments = ("-m", "clients.python.bench", "--transports", "native", *sizes)
    with started(arguments, scale.cores.load, log, source) as process:
        process.wait_for('"sdk"')
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["mode"]: line["client_cpu_us_per_call"] for line in lines}
