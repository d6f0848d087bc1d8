"""The native wire as `app` knows it: binds, takes connections up to a bound, and stops in order.

Stop: the listeners close → GOAWAY that refuses nothing yet, for calls already on their way → GOAWAY with the last
call's id → calls that run finish within the grace → those left are told STOPPING and cut.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from decision_sidecar_native import Budget, Limits, Methods

from sidecar import limits
from sidecar.rpc.methods import MethodTable, Refusal
from sidecar.transport.listen import ListenOptions, TcpAddress, UnixAddress
from sidecar.transport.native.connection import Connection, Shared
from sidecar.transport.native.handshakes import Handshakes
from sidecar.transport.native.sockets import BACKLOG, listen_tcp, listen_unix
from sidecar.transport.native.tls import ServerTls
from sidecar.transport.native.turns import Turns

TICK_S: Final = 1.0
"""How often the connections' clocks go on: keepalive, preface, age. Their times are of ten seconds and more."""
GOAWAY_STEP_S: Final = 0.1
"""Between the two GOAWAYs: what a caller sent before it read the first has arrived by then."""
CUT_S: Final = 1.0
"""How long the last words to the peers may take, and the tasks of cut calls."""


class NativeTransport:
    """The codec's server over the table. Started and stopped once, by `app`."""

    name: Final = "native"

    def __init__(self, table: MethodTable, options: ListenOptions, on_refused: Callable[[str, Refusal], None]) -> None:
        self._options = options
        self._turns = Turns(table, on_refused)
        self._shared = Shared(
            methods=Methods([(*method, limits.IMPORT_BYTES_MAX) for method in self._turns.methods()]),
            limits=Limits(streams_max=limits.STREAMS_MAX, header_list_bytes_max=limits.METADATA_BYTES_MAX),
            budget=Budget(limits.WIRE_BYTES_MAX),
            wake=self._turns.wake,
            opened=self._opened,
            lost=self._lost,
        )
        self._servers: list[asyncio.Server] = []
        self._handshakes: Handshakes | None = None
        """Of TLS alone."""
        self._sockets: list[Path] = []
        """The socket files that were made here, and no one else's."""
        self._connections: set[Connection] = set()
        self._none_left = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._full = False
        """Whether connections are refused, so that it is said once."""
        self._cuts_unlogged, self._cut_logged_s = 0, 0.0
        self._log = structlog.get_logger()

    async def start(self) -> Sequence[str]:
        """See `Transport`."""
        if self._options.tls:
            context = ServerTls(self._options.tls).context
            self._handshakes = Handshakes(context, partial(Connection, self._shared), self._has_room)
        try:
            bound = [str(await self._listen(address)) for address in self._options.addresses]
        except BaseException:
            self._close_listeners()
            raise
        self._tick()
        return bound

    async def stop(self, grace_s: float) -> None:
        """See `Transport`."""
        self._close_listeners()
        if self._connections and grace_s > 0:
            until_s = time.monotonic() + grace_s
            self._shut_down(final=False)
            await self._empty_within(min(GOAWAY_STEP_S, grace_s))
            self._shut_down(final=True)
            await self._empty_within(until_s - time.monotonic())
        for connection in list(self._connections):
            self._turns.cut(connection)
        self._shut_down(final=True)
        await self._empty_within(CUT_S)
        for connection in list(self._connections):
            connection.abort()
        if unfinished := self._turns.tasks | (self._handshakes.tasks if self._handshakes else set()):
            await asyncio.wait(unfinished, timeout=CUT_S)
        self._turns.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _listen(self, address: TcpAddress | UnixAddress) -> TcpAddress | UnixAddress:
        loop, connect = asyncio.get_running_loop(), partial(Connection, self._shared)
        bound: TcpAddress | UnixAddress = address
        sockets: Sequence[socket.socket]
        if isinstance(address, UnixAddress):
            sockets = [listen_unix(address, self._options.socket_mode)]
            self._sockets.append(address.path)
        else:
            bound, sockets = listen_tcp(address)
        for one in sockets:
            if self._handshakes:
                self._handshakes.listen(one)
            elif one.family == socket.AF_UNIX:
                self._servers.append(await loop.create_unix_server(connect, sock=one, backlog=BACKLOG))
            else:
                self._servers.append(await loop.create_server(connect, sock=one, backlog=BACKLOG))
        return bound

    def _close_listeners(self) -> None:
        while self._servers:
            self._servers.pop().close()
        if self._handshakes:
            self._handshakes.close()
        while self._sockets:
            self._sockets.pop().unlink(missing_ok=True)

    # --- connections ----------------------------------------------------------------------------------------------

    def _opened(self, connection: Connection) -> bool:
        """Called for each new one. Past the bound it is closed unanswered, so that clients back off."""
        # Why one of TLS is not asked again: it had its place from its handshake on.
        if self._handshakes is None and not self._has_room():
            return False
        self._connections.add(connection)
        self._none_left.clear()
        return True

    def _has_room(self) -> bool:
        """Whether there may be one more connection, those in their handshake counted."""
        connections = len(self._connections) + (len(self._handshakes.tasks) if self._handshakes else 0)
        if connections >= limits.CONNECTIONS_MAX:
            if not self._full:
                self._full = True
                self._log.warning("connections_full", connections=connections)
            return False
        # Why not at the bound itself: peers that come and go there would have it said at each turn.
        self._full &= connections >= limits.CONNECTIONS_MAX * 9 // 10
        return True

    def _lost(self, connection: Connection, failure: str) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()
        if failure:
            self._log_cut(connection.peer, failure)

    def _log_cut(self, peer: str, failure: str) -> None:
        """Once a second at most: whoever reaches the port must not fill the log."""
        now_s = time.monotonic()
        if now_s - self._cut_logged_s < 1.0:
            self._cuts_unlogged += 1
            return
        self._log.warning("connection_cut", peer=peer, cause=failure, unlogged=self._cuts_unlogged)
        self._cut_logged_s, self._cuts_unlogged = now_s, 0

    def _shut_down(self, *, final: bool) -> None:
        for connection in list(self._connections):
            connection.shut_down(final=final)

    async def _empty_within(self, seconds: float) -> None:
        """Wait until no connection is left, so long at most."""
        if self._connections:
            try:
                async with asyncio.timeout(seconds):
                    await self._none_left.wait()
            except TimeoutError:
                return

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        now_s = time.monotonic()
        for connection in list(self._connections):
            connection.tick(now_s)
