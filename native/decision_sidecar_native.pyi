"""A sans-IO gRPC codec over HTTP/2 (nghttp2): bytes in, calls out; replies in, bytes out.

No socket, thread, clock or TLS: times are arguments, in seconds of any monotonic clock. An object belongs to the thread
that uses it. After `closed` is true a connection takes no more input; write what `take_output` still holds, then close.
Specification: the docs of the crate (`native/src/lib.rs`).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, Self, TypeAlias, final

from typing_extensions import Buffer

API_VERSION: Final[int]
"""Raised when anything here changes incompatibly; daemon and client refuse another one."""

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]
"""Keys in lower case; a `-bin` key has bytes, already decoded."""

# The first item of an event of a `ServerConnection`.
CALL: Final = 0
OPENED: Final = 1
MESSAGES: Final = 2
ENDED: Final = 3
CANCELLED: Final = 4
WRITABLE: Final = 5

ServerEvent: TypeAlias = (
    tuple[Literal[0], int, int, bytes, float | None]  # CALL, call_id, method, message, timeout_s: complete
    | tuple[Literal[1], int, int, float | None]  # OPENED, call_id, method, timeout_s: messages follow
    | tuple[Literal[2], int, list[bytes]]  # MESSAGES, call_id, messages: one or more that came together
    | tuple[Literal[3], int]  # ENDED, call_id: no more messages
    | tuple[Literal[4], int]  # CANCELLED, call_id: the caller gave up; nothing may be sent any more
    | tuple[Literal[5], int]  # WRITABLE, call_id: what is queued fell under the low mark
)

# The first item of an event of a `ClientConnection`.
REPLY: Final = 6
FINISHED: Final = 7

ClientEvent: TypeAlias = (
    tuple[Literal[6], int, bytes]  # REPLY, call_id, message: of a stream
    | tuple[Literal[7], int, Outcome]  # FINISHED, call_id, outcome
    | tuple[Literal[5], int]  # WRITABLE, call_id
)

@final
class Limits:
    """Bounds of one connection; every one has a default, named in the crate's docs."""

    def __new__(
        cls,
        *,
        message_bytes_max: int = ...,
        header_list_bytes_max: int = ...,
        streams_max: int = ...,
        stream_window_bytes: int = ...,
        connection_window_bytes: int = ...,
        queued_bytes_high: int = ...,
        queued_bytes_low: int = ...,
        resets_burst: int = ...,
        resets_per_s: float = ...,
        ping_interval_min_s: float = ...,
        pings_too_early_max: int = ...,
        keepalive_after_s: float | None = ...,
        keepalive_timeout_s: float = ...,
        idle_max_s: float | None = ...,
        age_max_s: float | None = ...,
        age_grace_s: float = ...,
    ) -> Self: ...

@final
class Budget:
    """Bytes that all connections together may hold: unfinished requests and replies that wait. One a process.

    A connection holds at most twice what it leaves free, so that none can use it up.
    """

    def __new__(cls, bytes_max: int) -> Self: ...
    @property
    def bytes_held(self) -> int: ...

@final
class Methods:
    """The paths that are served. `single` = one request message, given whole with CALL; else OPENED and MESSAGES."""

    def __new__(cls, methods: Iterable[tuple[str, bool, int]]) -> Self:
        """Each is (full path, single, bytes of a message at most); events name a method by its place."""

@final
class Request:
    """The head of a call."""

    @property
    def authority(self) -> str: ...
    def header(self, key: str) -> str | None:
        """The last value of an ASCII header, None when absent."""
    def metadata(self) -> list[tuple[str, str | bytes]]:
        """All of the caller's metadata, in order."""

@final
class ServerConnection:
    """One connection as the server sees it."""

    def __new__(cls, methods: Methods, limits: Limits, budget: Budget, now_s: float) -> Self: ...
    def receive(self, data: Buffer, now_s: float) -> list[ServerEvent]:
        """Take what was read. Never raises for what the peer did: see `closed` and `failure`."""
    def reply(self, call_id: int, message: bytes) -> None:
        """The whole answer of a call with status OK. Ignored for a call that is gone, as everything below."""
    def start(self, call_id: int, metadata: Metadata) -> None:
        """Initial metadata, before the first `send`; without it they are sent with the first message."""
    def send(self, call_id: int, message: bytes) -> bool:
        """One message; False = wait for WRITABLE, as the high mark is reached, or for CANCELLED, as it had no place.

        True for a call that is gone.
        """
    def send_all(self, call_id: int, messages: list[bytes]) -> bool:
        """Several messages, as `send`; all of them are queued, whatever it returns."""
    def finish(
        self, call_id: int, code: int, message: str = "", details: bytes = b"", trailers: Metadata | None = None
    ) -> None:
        """End a call; `details` becomes `grpc-status-details-bin`."""
    def consumed(self, call_id: int, message_bytes: int, messages: int = 1) -> None:
        """Messages of so many bytes together were worked off: their sender may send as much again."""
    def request(self, call_id: int) -> Request | None:
        """The head of a call, None once it has ended on the wire. Made when it is asked for, which few handlers do."""
    def tick(self, now_s: float) -> float | None:
        """Let time pass (keepalive, idle, age); returns when to call again at the latest, None = not needed."""
    def shut_down(self, *, final: bool) -> None:
        """GOAWAY: first with the highest id, so that calls under way are taken; then, `final`, with the last one."""
    def take_output(self, bytes_max: int | None = None) -> bytes:
        """What must be written now, b"" when nothing. Not called while the socket is full: what waits is bounded here.

        With `bytes_max` about so much, a frame more at most: ask again until less comes, or the socket is full. Without
        it all that the peer's windows take, which may be all that is queued.
        """
    def take_events(self) -> list[ServerEvent]:
        """What came up outside of `receive`: WRITABLE after `take_output`, CANCELLED after `tick`. Ask after both."""
    def disconnected(self, reason: str) -> list[ServerEvent]:
        """The socket is gone, in order (`reason` empty) or not: `closed`, and CANCELLED for every call under way."""
    @property
    def calls_open(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def failure(self) -> str:
        """Why it closed, for a log; empty when both sides wanted it."""

@final
class Outcome:
    """How a call of a client ended. `message` is the reply of a unary call that is OK, else None."""

    @property
    def code(self) -> int: ...
    @property
    def status_message(self) -> str: ...
    @property
    def details(self) -> bytes: ...
    @property
    def message(self) -> bytes | None: ...
    @property
    def unprocessed(self) -> bool:
        """The server has certainly not begun it (refused, or past the last id of a GOAWAY): safe to send again."""
    def trailers(self) -> list[tuple[str, str | bytes]]: ...

@final
class ClientConnection:
    """One connection as a client sees it."""

    def __new__(cls, *, scheme: str, authority: str, user_agent: str, limits: Limits, now_s: float) -> Self: ...
    def call(self, path: str, message: bytes, metadata: Metadata | None = None, timeout_s: float | None = None) -> int:
        """A unary call whole; its id. Ends with FINISHED, without REPLY. 0 = no more calls here: see `drained`."""
    def ask(
        self, path: str, message: bytes, metadata: tuple[tuple[str, str | bytes], ...], timeout_s: float, bytes_max: int
    ) -> tuple[int, bytes]:
        """`call`, and what `take_output` has after it: one step of Python in place of two."""
    def open(self, path: str, metadata: Metadata | None = None, timeout_s: float | None = None) -> int:
        """A call with messages both ways."""
    def send(self, call_id: int, message: bytes) -> bool: ...
    def half_close(self, call_id: int) -> None: ...
    def cancel(self, call_id: int) -> None:
        """RST_STREAM(CANCEL); no event follows."""
    def consumed(self, call_id: int, message_bytes: int) -> None: ...
    def receive(self, data: Buffer, now_s: float) -> list[ClientEvent]: ...
    def receive_reply(self, data: bytes, now_s: float, call_id: int) -> bytes | None:
        """As `receive`, for who waits for this unary call alone: its reply, when there is nothing else to learn or do.

        None, and the events stay for `take_events`, when the call has not ended or not with OK, another one is under
        way, or the connection takes no more calls. After a reply nothing that `take_output` has is urgent: it may go
        with the next call.
        """
    def tick(self, now_s: float) -> float | None: ...
    def take_output(self, bytes_max: int | None = None) -> bytes: ...
    def take_events(self) -> list[ClientEvent]:
        """What came up outside of `receive`: WRITABLE after `take_output`, FINISHED after `tick`. Ask after both."""
    def disconnected(self, reason: str) -> list[ClientEvent]:
        """The socket is gone: `closed`, and FINISHED (UNAVAILABLE) for every call under way."""
    @property
    def calls_open(self) -> int: ...
    @property
    def drained(self) -> bool:
        """A GOAWAY came, or the ids are used up: open another connection for new calls."""
    @property
    def closed(self) -> bool: ...
    @property
    def failure(self) -> str: ...

@final
class PlainReader:
    """Reads messages that hold nothing but texts, lists of texts, maps of scalar `sidecar.v1.Value` and instants.

    It is no part of the codec, but what is read from the wire next: see `sidecar/rpc/plain.py`.
    """

    def __new__(cls, fields: Sequence[tuple[int, int, int]], *, key_bytes_max: int, value_bytes_max: int) -> Self:
        """Each field is (number, kind, most): 0 a text of so many bytes, 1 texts, 2 values, 3 an instant."""
    def read(self, message: bytes) -> tuple[Any, ...] | None:
        """The values of the fields in their order, None when the message is not plain.

        What is absent is "", [], {} and, for an instant (in milliseconds since 1970), None.
        """
