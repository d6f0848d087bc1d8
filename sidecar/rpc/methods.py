"""The method table: full method name → kind and handler. Both transports mount the same one and nothing else.

A unary handler takes the request's bytes and a `Call` and returns the reply's bytes, or an awaitable of them when it
must wait. A streaming handler returns an asynchronous iterator of replies. A stream that has one reply for each of its
requests can be answered by a unary handler, once for each (`streams.one_by_one`). A handler raises errors of
`sidecar.errors` or a `Refusal`; the transport asks `refusals.refusal_of` for what to send.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from sidecar.ports import Entries, Written


class Code(IntEnum):
    """Status codes of gRPC. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html."""

    OK = 0
    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Refusal(Exception):
    """An error in the form that goes out: code, message for a person, and the bytes of a `google.rpc.Status`."""

    def __init__(self, code: Code, message: str, details: bytes = b"") -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details


class Call(Protocol):
    """What a handler may know of the call besides its request."""

    def header(self, key: str) -> str | None:
        """The last value of a request header (lower case, not `-bin`), None when absent."""
        ...

    def time_remaining_s(self) -> float | None:
        """Seconds until the deadline (negative once it has passed), None without one."""
        ...

    def cancelled(self) -> bool:
        """Whether the caller has gone away."""
        ...

    @property
    def peer(self) -> str:
        """The other side, as `unix:` or `ipv4:127.0.0.1:4711`."""
        ...


class Later(Struct, frozen=True, eq=False):
    """A reply that is made of what an append comes to. Any wire can await it; one that looks needs no task for it.

    `make` may raise what a handler may. It is called once that is known, whether or not somebody still waits.
    """

    written: Written
    make: Callable[[Entries], bytes]

    def __await__(self) -> Generator[object, None, bytes]:
        try:
            entries = yield from self.written.__await__()
        except CancelledError:
            # Why: what is written is written, whether or not somebody waits.
            self.written.then(self._make_for_nobody)
            raise
        return self.make(entries)

    def _make_for_nobody(self) -> None:
        with suppress(Exception):
            self.make(self.written.result())


UnaryHandler: TypeAlias = Callable[[bytes, Call], bytes | Awaitable[bytes]]
ServerStreamHandler: TypeAlias = Callable[[bytes, Call], AsyncIterator[bytes]]
StreamHandler: TypeAlias = Callable[[AsyncIterator[bytes], Call], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one reply. A wire asks the handler only for a caller who still waits: not gone, not late."""

    handler: UnaryHandler


@dataclass(frozen=True, slots=True)
class ServerStream:
    """One request, many replies."""

    handler: ServerStreamHandler


class Stream(Protocol):
    """A stream under way that no task of its own waits in."""

    def fail(self, error: Exception) -> None:
        """End it now with what `refusals` makes of an error, behind the replies that were sent."""
        ...


def _anyone(_call: Call) -> None:
    """Refuses nobody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Each:
    """One reply for each request of a stream, in order; after the reply to the last one the stream ends.

    For a wire that answers a message as it does a unary call, without a task or an iterator.
    """

    answer: UnaryHandler
    """Called for a request once the one before it is answered, for a caller who still waits. What it raises ends the
    stream."""
    admit: Callable[[Call], None] = _anyone
    """Called when a stream begins, before its first request. What it raises is the answer."""
    streams: set[Stream] = field(default_factory=set)
    """Those under way. The wire adds and removes them; who shuts the process down ends them."""


@dataclass(frozen=True, slots=True)
class Bidirectional:
    """Many requests, many replies."""

    handler: StreamHandler
    each: Each | None = None
    """The same in another form, where there is one. A wire uses either."""


Method: TypeAlias = Unary | ServerStream | Bidirectional
MethodTable: TypeAlias = Mapping[str, Method]
"""Full name, as `/sidecar.v1.DecisionService/Decide`, → method."""
