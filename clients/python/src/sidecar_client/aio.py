"""The client for asyncio, the twin of `client`: the same methods, awaited.

The loop over tries and the loop over streams are all that is written twice; everything pure is shared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Self, TypeVar, Unpack

from sidecar_client import _awaiting, _state
from sidecar_client._async_user import AsyncUser
from sidecar_client._calls import Call, Counters
from sidecar_client._grpcio import AsyncGrpcTransport
from sidecar_client._handle import ClientState
from sidecar_client.settings import DEFAULT_ADDRESS, ConnectOptions, Settings
from sidecar_client.status import DatafileChange, DatafileStatus, Flushed
from sidecar_client.transport import AsyncTransport

Answer = TypeVar("Answer")


def connect(address: str = DEFAULT_ADDRESS, **options: Unpack[ConnectOptions]) -> AsyncClient:
    """A client for the sidecar at `HOST:PORT` or `unix:PATH`, connected by its first call.

    The options are the fields of Settings. Raises ValueError for an address or a bound that cannot be.
    """
    settings = Settings(address=address, **options)
    return AsyncClient(AsyncGrpcTransport(settings), settings)


class AsyncClient:
    """A sidecar, as seen from the tasks of one event loop. Close it, or use it in an `async with`."""

    def __init__(self, transport: AsyncTransport, settings: Settings) -> None:
        self._transport = transport
        self._state = ClientState(settings)

    @property
    def counters(self) -> Counters:
        """What this client has been through, for metrics."""
        return self._state.counters

    def user(
        self,
        user_id: str,
        attributes: Mapping[str, object] | None = None,
        *,
        anonymous_id: str = "",
        datafile: str = "",
    ) -> AsyncUser:
        """A handle for one user.

        Raises TypeError or ValueError, with the path of the value, for an attribute that has no wire form.
        """
        identity = self._state.identity(user_id, attributes, anonymous_id, datafile)
        return AsyncUser(self, self._state.settings, identity)

    async def flush(self, timeout_s: float = 5.0) -> Flushed:
        """Wait until everything accepted before is delivered, at most `timeout_s`, and say what is left."""
        return await self.perform(_state.flush(self._state.settings, timeout_s))

    async def status(self) -> DatafileStatus:
        """The state of the datafile that decisions are made with."""
        return await self.perform(_state.status(self._state.settings))

    def watch(self) -> AsyncIterator[DatafileChange]:
        """The current revision, then each change, until the client is closed.

        A restart of the sidecar is waited for; the revision told last is not told again after it.
        """
        return _awaiting.watch(self._transport, _state.Watching(self._state.settings))

    async def close(self) -> None:
        """End every call and watch, and the connection. Idempotent."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def perform(self, call: Call[Answer]) -> Answer:
        """Drive one call to its answer, its fallback's answer, or a SidecarError."""
        return await _awaiting.perform(self._transport, self._state.counters, call)
