"""The yardstick: a bare `grpc.aio` server on uvloop that answers each call of any method with the same bytes.

Run as `python -m bench.echo_server REPLY_BYTES [unix:PATH] [METHOD]`. Prints the address that it is bound to. It does
nothing else: no message is parsed, no interceptor is there, and gRPC has its defaults. With METHOD it is the native
wire instead, which answers that one method: what a call costs without its handler.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import grpc
import uvloop
from grpc import aio


class _Echo(grpc.GenericRpcHandler):
    def __init__(self, reply: bytes) -> None:
        async def echo(_request: bytes, _context: object) -> bytes:
            return reply

        self._handler: Any = grpc.unary_unary_rpc_method_handler(echo)

    def service(self, _details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - a handler's type names its messages
        return self._handler


async def serve(reply_bytes: int, address: str) -> None:
    """Serve until SIGTERM."""
    server = aio.server()
    server.add_generic_rpc_handlers((_Echo(bytes(reply_bytes)),))
    port = server.add_insecure_port(address)
    await server.start()
    print(f"listening on {address if address.startswith('unix:') else f'127.0.0.1:{port}'}", flush=True)
    await _until_terminated()
    await server.stop(0)


async def _until_terminated() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


async def serve_native(reply_bytes: int, address: str, method: str) -> None:
    """The same over the native wire."""
    # Why here: each wire is measured without the other one, and the bare echo without anything, in memory.
    from sidecar.rpc.methods import Call, Refusal, Unary  # noqa: PLC0415 - see above
    from sidecar.transport.listen import ListenOptions, parse_address  # noqa: PLC0415 - see above
    from sidecar.transport.native.server import NativeTransport  # noqa: PLC0415 - see above

    reply = bytes(reply_bytes)

    def echo(_request: bytes, _call: Call) -> bytes:
        return reply

    def refused(name: str, refusal: Refusal) -> None:
        raise AssertionError(f"{name} was refused: {refusal}")

    options = ListenOptions(addresses=[parse_address(address)], tls=None, socket_mode=0o600)
    transport = NativeTransport({method: Unary(echo)}, options, refused)
    print(f"listening on {(await transport.start())[0]}", flush=True)
    await _until_terminated()
    await transport.stop(0)


def main(reply_bytes: str, *rest: str) -> None:
    """Serve as the command line says."""
    address = next((one for one in rest if one.startswith("unix:")), "127.0.0.1:0")
    method = next((one for one in rest if one.startswith("/")), "")
    size = int(reply_bytes)
    uvloop.run(serve_native(size, address, method) if method else serve(size, address))


if __name__ == "__main__":
    main(*sys.argv[1:])
