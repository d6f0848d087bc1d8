"""`grpc.testing.TestService` as a process, on either transport: `python -m tests.interop.server NAME ADDRESS…`.

Prints the addresses as bound, one line of JSON, and serves until SIGTERM. The transport is made as the daemon makes it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from sidecar.app import adapters
from sidecar.telemetry import Telemetry
from tests.interop.metadata import give_native_trailing
from tests.interop.testing_service import method_table
from tests.support.served import settings_of


def hold_answers(hold_s: float) -> None:
    """Have the native wire write so many seconds late, so that what a peer sends in a row arrives before any answer."""
    from sidecar.transport.native.connection import Connection

    replaced: Any = Connection
    flush = replaced.flush

    def later(connection: Connection) -> None:
        asyncio.get_running_loop().call_later(hold_s, flush, connection)

    replaced.flush = later


async def _serve(arguments: argparse.Namespace, directory: Path) -> None:
    if arguments.transport == "native":
        give_native_trailing()
        if arguments.hold_s:
            hold_answers(arguments.hold_s)
    configuration = {"transport": arguments.transport, "grpc_listen": arguments.addresses}
    if arguments.certificate:
        configuration |= {"tls_cert": arguments.certificate, "tls_key": arguments.key}
    transport = adapters.transport_of(settings_of(directory, configuration), Telemetry())(method_table())
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = list(await transport.start())
    sys.stdout.write(json.dumps(bound) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await transport.stop(0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interop.server", description=__doc__)
    parser.add_argument("transport")
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--hold-s", type=float, default=0.0)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    with tempfile.TemporaryDirectory() as directory:
        uvloop.run(_serve(parser.parse_args(), Path(directory)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
