"""The blocking client. Each method builds a call (`_decide`, `_events`, `_state`) and drives it. Twin: `aio`.

The loop over tries and the loop over streams are all that is written twice; everything pure is shared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self, TypeVar, Unpack

from sidecar_client import _decide, _events, _state
from sidecar_client._calls import Call, Counters, Exchange
from sidecar_client._grpcio import GrpcTransport
from sidecar_client._handle import ClientState, Handle, jitter, new_id, stamp
from sidecar_client.decisions import Decision, Decisions
from sidecar_client.errors import ClientClosed
from sidecar_client.events import Accepted
from sidecar_client.settings import DEFAULT_ADDRESS, ConnectOptions, Settings
from sidecar_client.status import DatafileChange, DatafileStatus, Flushed
from sidecar_client.transport import Transport, WireFailure

Answer = TypeVar("Answer")


def connect(address: str = DEFAULT_ADDRESS, **options: Unpack[ConnectOptions]) -> Client:
    """A client for the sidecar at `HOST:PORT` or `unix:PATH`, connected by its first call.

    The options are the fields of Settings. Raises ValueError for an address or a bound that cannot be.
    """
    settings = Settings(address=address, **options)
    return Client(GrpcTransport(settings), settings)


class Client:
    """A sidecar, as seen from any number of threads. Close it, or use it in a `with`."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
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
    ) -> User:
        """A handle for one user.

        Raises TypeError or ValueError, with the path of the value, for an attribute that has no wire form.
        """
        identity = self._state.identity(user_id, attributes, anonymous_id, datafile)
        return User(self, self._state.settings, identity)

    def flush(self, timeout_s: float = 5.0) -> Flushed:
        """Wait until everything accepted before is delivered, at most `timeout_s`, and say what is left."""
        return self.perform(_state.flush(self._state.settings, timeout_s))

    def status(self) -> DatafileStatus:
        """The state of the datafile that decisions are made with."""
        return self.perform(_state.status(self._state.settings))

    def watch(self) -> Iterator[DatafileChange]:
        """The current revision, then each change, until the client is closed.

        A restart of the sidecar is waited for; the revision told last is not told again after it.
        """
        watching = _state.Watching(self._state.settings)
        while True:
            failure = None
            try:
                with closing(self._transport.stream(_state.WATCH, watching.request)) as replies:
                    for reply in replies:
                        change = watching.seen(reply)
                        if change is not None:
                            yield change
            except WireFailure as ended:
                failure = ended
            except ClientClosed:
                return
            if self._transport.wait(watching.pause_s(failure, jitter())):
                return

    def close(self) -> None:
        """End every call and watch, and the connection. Idempotent."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def perform(self, call: Call[Answer]) -> Answer:
        """Drive one call to its answer, its fallback's answer, or a SidecarError."""
        exchange = Exchange(call, self._state.counters, time.monotonic())
        while True:
            try:
                timeout_s = exchange.timeout_s(time.monotonic())
                reply = self._transport.unary(call.method, call.request, timeout_s=timeout_s)
            except WireFailure as failure:
                pause_s = exchange.pause_s(failure, time.monotonic(), jitter())
                if pause_s is None:
                    return exchange.failed(failure)
                time.sleep(pause_s)
            except ClientClosed as closed:
                return exchange.give_up(closed)
            else:
                return exchange.answer(reply)


class User(Handle[Client]):
    """One user with its attributes.

    Decisions do not raise, unless `strict`; events raise SidecarError when they were not accepted.
    """

    __slots__ = ()

    def decide(
        self, flag_key: str, default: Decision | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decision:
        """Decide one flag. Without an answer it is `default`, else off, with SIDECAR_UNAVAILABLE."""
        return self._client.perform(
            _decide.decide_one(
                self._identity, self._settings, new_id(), flag_key, default=default, details=options
            )
        )

    def decide_many(
        self,
        flag_keys: Sequence[str],
        defaults: Mapping[str, Decision] | None = None,
        **options: Unpack[_decide.DecideOptions],
    ) -> Decisions:
        """Decide these flags at one revision, in this order; none asked for is none answered."""
        if not flag_keys:
            return Decisions([])
        return self._client.perform(
            _decide.decide_several(
                self._identity, self._settings, new_id(), flag_keys, defaults=defaults, details=options
            )
        )

    def decide_all(
        self, defaults: Mapping[str, Decision] | None = None, **options: Unpack[_decide.DecideOptions]
    ) -> Decisions:
        """Decide all flags of the datafile at one revision. Without an answer: the `defaults` alone."""
        return self._client.perform(
            _decide.decide_several(
                self._identity, self._settings, new_id(), (), defaults=defaults, details=options
            )
        )

    def track(self, event_key: str, **options: Unpack[_events.TrackOptions]) -> Accepted:
        """Something that the user did. Returns when it is written to the sidecar's disk."""
        return self._client.perform(
            _events.track(self._identity, self._settings, stamp(), event_key, options)
        )

    def identify(
        self, traits: Mapping[str, object] | None = None, **options: Unpack[_events.EventOptions]
    ) -> Accepted:
        """Who the user is."""
        return self._client.perform(
            _events.identify(self._identity, self._settings, stamp(), traits or {}, options)
        )

    def page(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Accepted:
        """A page that the user saw."""
        return self._client.perform(_events.page(self._identity, self._settings, stamp(), name, options))

    def screen(self, name: str = "", **options: Unpack[_events.NamedOptions]) -> Accepted:
        """A screen of an app that the user saw."""
        return self._client.perform(_events.screen(self._identity, self._settings, stamp(), name, options))

    def group(
        self,
        group_id: str,
        traits: Mapping[str, object] | None = None,
        **options: Unpack[_events.EventOptions],
    ) -> Accepted:
        """The group, as a company or team, that the user belongs to."""
        return self._client.perform(
            _events.group(
                self._identity, self._settings, stamp(), group_id, traits=traits or {}, details=options
            )
        )

    def alias(self, previous_id: str, **options: Unpack[_events.EventOptions]) -> Accepted:
        """The user was known as `previous_id` until now."""
        return self._client.perform(
            _events.alias(self._identity, self._settings, stamp(), previous_id, options)
        )
