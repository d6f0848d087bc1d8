"""The transports over grpcio: one channel each, made at the first call and again in a forked child.

Only this module imports grpc. Retries are not its business: grpcio's own are off, so that a call is tried
once here.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Generator
from typing import Final, Protocol, cast

import grpc
import grpc.aio

from sidecar_client.errors import ClientClosed
from sidecar_client.settings import Settings, Tls
from sidecar_client.transport import WireFailure

FORK_SUPPORT: Final = os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").lower() in {"1", "true", "yes"}
"""Whether gRPC survives a fork: it reads the same variable when it is imported, and is off by default."""
FORKED: Final = (
    "the process was forked after this client's first call, which gRPC survives only with "
    "GRPC_ENABLE_FORK_SUPPORT=1 in the environment from the start; the call was not sent"
)
DETAILS_KEY: Final = "grpc-status-details-bin"


def _options(settings: Settings) -> list[tuple[str, int | str]]:
    tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", settings.reply_bytes_max),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_retries", 0),
        # Why: a proxy of the environment is for the outside, the sidecar is next door.
        ("grpc.enable_http_proxy", 0),
        # Why: a restarted sidecar is found within the deadline of an event; grpcio waits a second by default.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # Why: clients of one process share no connection, so closing one never touches another.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if settings.address.startswith("unix:"):
        # Why: grpcio's default is the percent-encoded path, which strict HTTP/2 stacks refuse.
        options.append(("grpc.default_authority", "localhost"))
    if tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    return options


def _credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    if settings.tls is False:
        return None
    tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
    return grpc.ssl_channel_credentials(tls.ca_pem, tls.key_pem, tls.certificate_pem)


class _Ended(Protocol):
    """What both kinds of grpcio's RpcError say; its own type declares none of it."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> object: ...


def _failure(error: grpc.RpcError) -> WireFailure:
    """A try that grpcio ended with a status, in the words of the seam."""
    ended = cast(_Ended, error)
    trailing = cast("tuple[tuple[str, str | bytes], ...]", ended.trailing_metadata() or ())
    details = next((value for key, value in trailing if key == DETAILS_KEY), b"")
    encoded = details if isinstance(details, bytes) else b""
    return WireFailure(ended.code().name, ended.details() or "", encoded)


class GrpcTransport:
    """Blocking calls over one channel. Safe for threads; a forked child makes a channel of its own.

    Why a fork is noticed at all: gRPC's connection and threads belong to the parent, and a child that writes
    to them hangs or breaks the parent's stream.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closed = threading.Event()
        self._abandoned: list[grpc.Channel] = []
        self._crippled = False
        self._disconnect()
        _TRANSPORTS.add(self)

    def _disconnect(self) -> None:
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._unary: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    def abandon(self) -> None:
        """In a forked child: forget the parent's channel, unclosed, for it is the parent's to close."""
        if self._channel is not None:
            self._abandoned.append(self._channel)
            self._crippled = not FORK_SUPPORT
        self._disconnect()

    def _connected(self) -> grpc.Channel:
        with self._lock:
            if self._closed.is_set():
                raise ClientClosed
            if self._crippled:
                raise WireFailure("INTERNAL", FORKED)
            if self._channel is None:
                credentials, options = _credentials(self._settings), _options(self._settings)
                if credentials is None:
                    self._channel = grpc.insecure_channel(self._settings.address, options)
                else:
                    self._channel = grpc.secure_channel(self._settings.address, credentials, options)
            return self._channel

    def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """As Transport.unary."""
        call = self._unary.get(method)
        if call is None:
            call = self._unary[method] = self._connected().unary_unary(method)
        try:
            return call(request, timeout=timeout_s, metadata=self._settings.metadata())
        except grpc.RpcError as error:
            raise self._ended(error) from None
        except ValueError:
            # grpcio's word for a channel that another thread closed between the lookup and the call.
            if self._closed.is_set():
                raise ClientClosed from None
            raise

    def stream(self, method: str, request: bytes) -> Generator[bytes, None, None]:
        """As Transport.stream."""
        opened: grpc.UnaryStreamMultiCallable[bytes, bytes] = self._connected().unary_stream(method)
        call = opened(request, metadata=self._settings.metadata())
        try:
            yield from call
        except grpc.RpcError as error:
            raise self._ended(error) from None
        finally:
            call.cancel()

    def wait(self, pause_s: float) -> bool:
        """As Transport.wait."""
        return self._closed.wait(pause_s)

    def close(self) -> None:
        """As Transport.close."""
        with self._lock:
            self._closed.set()
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _ended(self, error: grpc.RpcError) -> Exception:
        failure = _failure(error)
        return ClientClosed() if failure.code == "CANCELLED" and self._closed.is_set() else failure


def _task_is_cancelled() -> bool:
    """Whether a CancelledError is the task's own.

    Why: grpc.aio ends the calls of a channel that is closed with one too, which must not pass for it.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class AsyncGrpcTransport:
    """Calls on one event loop over one channel. It does not survive a fork, as its loop does not either."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closed = False
        self._channel: grpc.aio.Channel | None = None
        self._unary: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    def _connected(self) -> grpc.aio.Channel:
        if self._closed:
            raise ClientClosed
        if self._channel is None:
            credentials, options = _credentials(self._settings), _options(self._settings)
            if credentials is None:
                self._channel = grpc.aio.insecure_channel(self._settings.address, options)
            else:
                self._channel = grpc.aio.secure_channel(self._settings.address, credentials, options)
        return self._channel

    async def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """As AsyncTransport.unary."""
        call = self._unary.get(method)
        if call is None or self._closed:
            call = self._unary[method] = self._connected().unary_unary(method)
        try:
            return await call(request, timeout=timeout_s, metadata=self._settings.metadata())
        except asyncio.CancelledError:
            if self._closed and not _task_is_cancelled():
                raise ClientClosed from None
            raise
        except grpc.RpcError as error:
            raise self._ended(error) from None

    async def stream(self, method: str, request: bytes) -> AsyncGenerator[bytes, None]:
        """As AsyncTransport.stream."""
        opened: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._connected().unary_stream(method)
        call = opened(request, metadata=self._settings.metadata())
        try:
            async for reply in call:
                yield reply
        except asyncio.CancelledError:
            if self._closed and not _task_is_cancelled():
                raise ClientClosed from None
            raise
        except grpc.RpcError as error:
            raise self._ended(error) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """As AsyncTransport.close."""
        self._closed = True
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _ended(self, error: grpc.RpcError) -> Exception:
        failure = _failure(error)
        return ClientClosed() if failure.code == "CANCELLED" and self._closed else failure


_TRANSPORTS: weakref.WeakSet[GrpcTransport] = weakref.WeakSet()
"""What a forked child must abandon. Why global: so is a fork."""


def _abandon_all() -> None:
    for transport in _TRANSPORTS:
        transport.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
