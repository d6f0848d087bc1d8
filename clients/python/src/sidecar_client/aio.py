"""The client for asyncio, the twin of `client`: the same methods, awaited.

The loop over tries and the loop over streams are all that is written twice; everything pure is shared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self, TypeVar, Unpack

from sidecar_client import _awaiting, _decide, _events, _importing, _many, _state, _transports
from sidecar_client._async_user import AsyncUser
from sidecar_client._awaiting_buffer import AsyncSending
from sidecar_client._calls import Call, Counters
from sidecar_client._handle import ClientState
from sidecar_client.decisions import Decision, Decisions
from sidecar_client.events import Accepted, Imported
from sidecar_client.settings import DEFAULT_ADDRESS, ConnectOptions, Settings
from sidecar_client.status import DatafileChange, DatafileStatus, Flushed
from sidecar_client.transport import AsyncTransport

Answer = TypeVar("Answer")


def connect(address: str = DEFAULT_ADDRESS, **options: Unpack[ConnectOptions]) -> AsyncClient:
    """A client for the sidecar at `HOST:PORT` or `unix:PATH`, connected by its first call.

    The options are the fields of Settings. Raises ValueError for an address or a bound that cannot be.
    """
    settings = Settings(address=address, **options)
    return AsyncClient(_transports.awaiting(settings), settings)


class AsyncClient:
    """A sidecar, as seen from the tasks of one event loop. Close it, or use it in an `async with`."""

    def __init__(self, transport: AsyncTransport, settings: Settings) -> None:
        self._transport = transport
        self._state = ClientState(settings)
        self._sending = AsyncSending(transport, settings, self._state.counters)

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

    async def decide_many(
        self,
        users: Iterable[AsyncUser],
        flag_keys: Sequence[str] = (),
        defaults: Mapping[str, Decision] | None = None,
        *,
        decision_ids: Sequence[str] = (),
        **options: Unpack[_decide.AskOptions],
    ) -> list[Decisions]:
        """Decide the same flags, none = all, for up to 1,000 users at one revision, in their order.

        A user that is refused has the defaults, and an `error_reason`; the others have their decisions.
        `decision_ids` name the users' decisions, in their order; UUIDs by default. Raises ValueError for more users,
        for users of different datafiles, and for ids that are not one for each user.
        """
        asked = _many.asked([user.identity for user in users], decision_ids)
        if not asked:
            return []
        state = self._state
        return await self.perform(
            _many.decide_many(asked, state.settings, state.counters, flag_keys, defaults=defaults, details=options)
        )

    async def import_events(
        self,
        drafts: Iterable[_events.Draft],
        *,
        include_optimizely: bool = False,
        batch_events_max: int = _importing.BATCH_EVENTS_MAX,
    ) -> Imported:
        """Record history: any number of events, made by `user.drafts`, in batches accepted or refused whole.

        Optimizely gets them only when asked: old timestamps distort its results. Raises SidecarError when no sidecar
        takes a batch for a minute; its `imported` says what was accepted before.
        """
        importing = _importing.Importing(
            self._state.settings, include_optimizely=include_optimizely, batch_events_max=batch_events_max
        )
        return await _awaiting.import_all(self._transport, self._state.counters, importing, drafts)

    async def wait_ready(self, timeout_s: float = 10.0) -> bool:
        """Wait until a first decision will succeed, or, without any datafile, an event; False when time runs out.

        Raises SidecarError for what waiting does not mend, as a wrong token.
        """
        return await _awaiting.wait_ready(self._transport, self._state.counters, self._state.settings, timeout_s)

    async def flush(self, timeout_s: float = 5.0) -> Flushed:
        """Wait until everything accepted before is delivered, at most `timeout_s`, and say what is left.

        What this client has in its buffer goes first.
        """
        buffered, left_s = await self._sending.drain(timeout_s)
        return replace(await self.perform(_state.flush(self._state.settings, left_s)), buffered=buffered)

    async def status(self) -> DatafileStatus:
        """The state of the datafile that decisions are made with."""
        return await self.perform(_state.status(self._state.settings))

    def watch(self) -> AsyncIterator[DatafileChange]:
        """The current revision, then each change, until the client is closed.

        A restart of the sidecar is waited for; the revision told last is not told again after it.
        """
        return _awaiting.watch(self._transport, _state.Watching(self._state.settings))

    async def close(self) -> None:
        """End every call and watch, and the connection. Idempotent.

        Events in the buffer are given as long as one event has (`event_timeout_s`); what is left is dropped, counted.
        """
        await self._sending.close()
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def perform(self, call: Call[Answer]) -> Answer:
        """Drive one call to its answer, its fallback's answer, or a SidecarError."""
        return await _awaiting.perform(self._transport, self._state.counters, call)

    async def record(self, call: Call[Accepted]) -> Accepted:
        """Drive the call of one event, or keep it when no sidecar takes it and the client has a buffer."""
        return await self._sending.record(call)
