"""The method table on `grpc.aio`: bytes in, bytes out, no generated servicer and no serializer of its own.

Limits and keepalive are channel arguments; the deadline is enforced by gRPC itself, which cancels the handler's task.
Certificates are read again when their files change, at the next handshake.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias, cast

import grpc
from grpc import aio

from sidecar import limits
from sidecar.rpc.methods import (
    Method,
    MethodTable,
    Refusal,
    ServerStream,
    ServerStreamHandler,
    StreamHandler,
    Unary,
    UnaryHandler,
)
from sidecar.rpc.refusals import raise_if_late, refusal_of
from sidecar.transport.certificates import Certificates
from sidecar.transport.listen import (
    ListenOptions,
    TcpAddress,
    TlsFiles,
    UnixAddress,
    cannot_listen,
    clear_stale_socket,
)

_OPTIONS = (
    ("grpc.max_receive_message_length", limits.IMPORT_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_concurrent_streams", limits.STREAMS_MAX),
    ("grpc.max_metadata_size", limits.METADATA_BYTES_MAX),
    # Why: two daemons on one port would share its connections by chance.
    ("grpc.so_reuseport", 0),
    # Why: a client may ping an idle connection each 10 s, as sidecars' clients do, and not be cut off for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

Context: TypeAlias = "aio.ServicerContext[bytes, bytes]"


class _GrpcioCall:
    """A `Call` over a servicer context; asks it only when a handler does."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def header(self, key: str) -> str | None:
        found = None
        for name, value in self._context.invocation_metadata() or ():
            if name == key and isinstance(value, str):
                found = value
        return found

    def time_remaining_s(self) -> float | None:
        remaining: float | None = self._context.time_remaining()
        return remaining

    def cancelled(self) -> bool:
        return bool(self._context.cancelled())

    @property
    def peer(self) -> str:
        return str(self._context.peer())


class GrpcioTransport:
    """A `grpc.aio` server over the table. Started and stopped once, by `app`."""

    name: Final = "grpcio"

    def __init__(self, table: MethodTable, options: ListenOptions, on_refused: Callable[[str, Refusal], None]) -> None:
        self._options = options
        self._sockets: list[Path] = []
        """The socket files that were made here, and no one else's."""
        self._server = aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((_Handlers(table, on_refused),))

    async def start(self) -> Sequence[str]:
        """Bind every address and serve; returns them as bound (port 0 replaced).

        Raises `OSError` when a port is taken, `ConfigInvalid` when a socket's path is.
        """
        bound = []
        for address in self._options.addresses:
            # Why one for each: gRPC takes the first certificates of a credentials object once, for one listener.
            credentials = _credentials(self._options.tls) if self._options.tls else None
            if isinstance(address, UnixAddress):
                clear_stale_socket(address.path)
            bound.append(str(self._bind(address, credentials)))
        await self._server.start()
        return bound

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, let the running ones finish for `grace_s` seconds, then cut them."""
        await self._server.stop(grace_s)
        while self._sockets:
            self._sockets.pop().unlink(missing_ok=True)

    def _bind(
        self, address: TcpAddress | UnixAddress, credentials: grpc.ServerCredentials | None
    ) -> TcpAddress | UnixAddress:
        try:
            if credentials is None:
                port = self._server.add_insecure_port(str(address))
            else:
                port = self._server.add_secure_port(str(address), credentials)
        except RuntimeError as refused:
            raise cannot_listen(address) from refused
        if isinstance(address, UnixAddress):
            self._sockets.append(address.path)
            address.path.chmod(self._options.socket_mode)
            return address
        return TcpAddress(address.host, port)


class _Handlers(grpc.GenericRpcHandler):
    """Looks a method up in the table; an unknown one is answered UNIMPLEMENTED by gRPC."""

    def __init__(self, table: MethodTable, on_refused: Callable[[str, Refusal], None]) -> None:
        self._handlers = {name: _Binding(name, on_refused).bind(method) for name, method in table.items()}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(handler_call_details.method)


class _Binding:
    """One method of the table as gRPC wants it."""

    def __init__(self, name: str, on_refused: Callable[[str, Refusal], None]) -> None:
        self._name, self._on_refused = name, on_refused

    def bind(self, method: Method) -> grpc.RpcMethodHandler[bytes, bytes]:
        """The handler of any kind."""
        # Why the cast: the type stubs know the handlers of the blocking server alone, not the coroutines of `grpc.aio`.
        if isinstance(method, Unary):
            return grpc.unary_unary_rpc_method_handler(cast("Any", self._unary(method.handler)))
        if isinstance(method, ServerStream):
            return grpc.unary_stream_rpc_method_handler(cast("Any", self._server_stream(method.handler)))
        return grpc.stream_stream_rpc_method_handler(cast("Any", self._bidirectional(method.handler)))

    def _unary(self, handler: UnaryHandler) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def unary(request: bytes, context: Context) -> bytes:
            try:
                call = _GrpcioCall(context)
                raise_if_late(call)
                reply = handler(request, call)
                return reply if isinstance(reply, bytes) else await reply
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is answered, and logged if it is ours
                return await self._refuse(context, error)

        return unary

    def _server_stream(self, handler: ServerStreamHandler) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        async def stream(request: bytes, context: Context) -> AsyncIterator[bytes]:
            try:
                async for reply in handler(request, _GrpcioCall(context)):
                    yield reply
            except Exception as error:  # noqa: BLE001 - as in `_unary`
                await self._refuse(context, error)

        return stream

    def _bidirectional(self, handler: StreamHandler) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        async def stream(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            try:
                async for reply in handler(requests, _GrpcioCall(context)):
                    yield reply
            except Exception as error:  # noqa: BLE001 - as in `_unary`
                await self._refuse(context, error)

        return stream

    async def _refuse(self, context: Context, error: Exception) -> NoReturn:
        """End the call with the status of an error, by raising what gRPC takes for that."""
        refusal = refusal_of(error, self._name)
        self._on_refused(self._name, refusal)
        trailers = (("grpc-status-details-bin", refusal.details),) if refusal.details else ()
        await context.abort(_STATUS[int(refusal.code)], refusal.message, trailers)
        raise AssertionError("abort raises")


_STATUS: Final[Mapping[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


def _credentials(files: TlsFiles) -> grpc.ServerCredentials:
    certificates = Certificates(files, _configuration)
    # Why the cast: gRPC takes None for "as before", its type stubs do not say so. It asks on a thread of its own.
    if_changed = cast("Callable[[], grpc.ServerCertificateConfiguration]", certificates.if_changed)
    return grpc.dynamic_ssl_server_credentials(
        certificates.first(), if_changed, require_client_authentication=files.client_ca is not None
    )


def _configuration(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    """The files as they are now; raises `ConfigInvalid`, and `OSError` when they change meanwhile."""
    files.raise_if_unusable()
    client_ca = files.client_ca.read_bytes() if files.client_ca else None
    pair = (files.key.read_bytes(), files.certificate.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=client_ca)
