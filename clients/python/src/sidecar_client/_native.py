"""The blocking transport over the native codec: one connection, made by the call that needs it, anew in a forked child.

What a connection does is in `_native_connection`, how it is made in `_native_opening`; here is who makes it and when.
Promises: `transport`.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Generator

from sidecar_client._codec import OK, Backoff, Target, failure_of, unavailable
from sidecar_client._native_connection import Connection
from sidecar_client._native_opening import Opening
from sidecar_client.errors import ClientClosed
from sidecar_client.settings import Settings
from sidecar_client.transport import WireFailure


class NativeTransport:
    """Blocking calls over one connection. Safe for threads; a forked child makes a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._target = Target(settings)
        self._closed = threading.Event()
        self._connection: Connection | None = None
        self._forget()
        _TRANSPORTS.add(self)

    def _forget(self) -> None:
        self._changed = threading.Condition()
        """Of all below."""
        self._backoff = Backoff()
        self._opening: Opening | None = None
        self._opened_by = 0
        """The thread that goes on with `_opening`; 0 = none."""

    def abandon(self) -> None:
        """In a forked child: leave everything to the parent."""
        if self._opening is not None:
            self._opening.close()
        self._forget()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def unary(self, method: str, request: bytes, *, timeout_s: float) -> bytes:
        """As Transport.unary."""
        now_s = time.monotonic()
        deadline_s, left_s = now_s + timeout_s, timeout_s
        headers = self._settings.metadata()
        refused = False
        while True:
            connection = self._connection
            if connection is None or not connection.usable:
                connection, now_s = self._connected(deadline_s), time.monotonic()
                left_s = deadline_s - now_s
            outcome = connection.unary(method, request, headers, now_s, left_s)
            if isinstance(outcome, bytes):
                return outcome
            now_s = time.monotonic()
            left_s = deadline_s - now_s
            if outcome is None:
                continue
            if outcome.code == OK and (reply := outcome.message) is not None:
                return reply
            if self._closed.is_set():
                raise ClientClosed
            # What the sidecar has certainly not begun is no try yet: it was on its way when the sidecar said goodbye.
            if not outcome.unprocessed or refused:
                raise failure_of(outcome)
            refused = True

    def stream(self, method: str, request: bytes) -> Generator[bytes, None, None]:
        """As Transport.stream."""
        headers = self._settings.metadata()
        sent = False
        while not sent:
            connection = self._connected(time.monotonic() + self._settings.status_timeout_s)
            try:
                sent = yield from connection.stream(method, request, headers)
            except WireFailure:
                if self._closed.is_set():
                    raise ClientClosed from None
                raise

    def wait(self, pause_s: float) -> bool:
        """As Transport.wait."""
        return self._closed.wait(pause_s)

    def close(self) -> None:
        """As Transport.close."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
            connection = self._connection
            if self._opening is not None and not self._opened_by:
                self._opening.close()
        if connection is not None:
            connection.close("the client was closed")

    def _connected(self, deadline_s: float) -> Connection:
        """The connection, made if need be. Raises WireFailure, ClientClosed."""
        with self._changed:
            while True:
                if self._closed.is_set():
                    raise ClientClosed
                connection = self._connection
                if connection is not None and connection.usable:
                    return connection
                if not self._opened_by:
                    break
                if not self._changed.wait(max(deadline_s - time.monotonic(), 0.0)):
                    raise unavailable(f"not yet connected to the sidecar at {self._target}")
            if connection is not None:
                self._connection = None
                self._judge(connection)
            now_s = time.monotonic()
            self._backoff.check(now_s)
            self._opened_by = threading.get_ident()
        try:
            return self._open(now_s, deadline_s)
        finally:
            with self._changed:
                self._opened_by = 0
                self._changed.notify_all()

    def _judge(self, ended: Connection) -> None:
        """A connection on which the sidecar never spoke is one more that failed."""
        if ended.answered:
            self._backoff.answered()
        else:
            self._backoff.failed(time.monotonic(), f"the sidecar at {self._target} closed the connection")

    def _open(self, now_s: float, deadline_s: float) -> Connection:
        """Go on with the connection that is being made, as its only thread."""
        try:
            opening = self._opening = self._opening or Opening(self._target, now_s)
            connected = opening.until(deadline_s, self._closed.is_set)
        except OSError as refused:
            self._opening = None
            problem = f"no sidecar at {self._target}: {refused.strerror or refused}"
            self._backoff.failed(time.monotonic(), problem)
            raise unavailable(problem) from None
        if self._closed.is_set():
            opening.close()
            raise ClientClosed
        if connected is None:
            raise unavailable(f"not yet connected to the sidecar at {self._target}")
        self._opening = None
        connection = Connection(self._target, connected, opening.secured)
        with self._changed:
            self._connection = connection
            if self._closed.is_set():
                connection.close("the client was closed")
                raise ClientClosed
        return connection


_TRANSPORTS: weakref.WeakSet[NativeTransport] = weakref.WeakSet()
"""What a forked child must abandon. Why global: so is a fork."""


def _abandon_all() -> None:
    for transport in _TRANSPORTS:
        transport.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
