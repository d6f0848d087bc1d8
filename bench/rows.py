"""Every row by the name that the command line knows it by, and how some of them are measured one after another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import grpc

from bench import client_rows, delivery_rows, engine_rows, import_rows, process_rows, stream_row
from bench.reload_row import reload
from bench.scale import Scale
from bench.table import Row
from bench.wire_rows import WIRE_ROWS

Measure: TypeAlias = Callable[[Scale], Iterator[Row]]

ROWS: Final[Mapping[str, Measure]] = {
    "engine": process_rows.engine,
    "compiling": engine_rows.compiling,
    "flags": engine_rows.flags,
    **{key: row.measure for key, row in WIRE_ROWS.items()},
    "stream": stream_row.measure,
    "import": import_rows.unary,
    "import-stream": import_rows.stream,
    "memory": process_rows.memory,
    "start": process_rows.start,
    "reload": reload,
    "python-client": client_rows.python,
    "delivery": delivery_rows.delivery,
    "decide-p99-delivery": delivery_rows.decide_beside,
}


def measured(keys: Iterable[str], scale: Scale) -> Iterator[Row]:
    """The rows of these names; one that cannot be measured says why and leaves the others theirs."""
    for key in keys:
        print(f"measuring {key} …", file=sys.stderr, flush=True)
        try:
            yield from ROWS[key](scale)
        except (RuntimeError, OSError, subprocess.SubprocessError, grpc.RpcError) as failed:
            yield Row(name=key, failed=f"{type(failed).__name__}: {failed}")
