"""How a client connects and how long it waits: one frozen section for both, checked when it is made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypedDict, get_args

from sidecar_client import _tracing
from sidecar_client.transport import WireFailure

Token: TypeAlias = str | Callable[[], str]
"""A bearer token, or a function that reads the current one and is asked before every try."""

DEFAULT_ADDRESS: Final = "127.0.0.1:8013"
PORT_MAX: Final = 65_535

TransportName: TypeAlias = Literal["auto", "native", "grpcio"]
TRANSPORTS: Final[tuple[str, ...]] = get_args(TransportName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS to the sidecar, with PEM bytes. Without `ca_pem` the system's authorities are trusted."""

    ca_pem: bytes | None = None
    certificate_pem: bytes | None = None
    """This client's certificate chain, for a sidecar that asks for one; needs `key_pem`."""
    key_pem: bytes | None = None
    server_name: str = ""
    """The name in the sidecar's certificate, when it is not the address."""

    def __post_init__(self) -> None:
        if (self.certificate_pem is None) != (self.key_pem is None):
            raise ValueError("tls has one of certificate_pem and key_pem, wanted both or neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a call that found no sidecar (UNAVAILABLE) is tried again, always within its deadline.

    The pause doubles from `pause_min_s` to `pause_max_s`, of which a random half is left out.
    """

    attempts_max: int
    pause_min_s: float
    pause_max_s: float

    def pause_s(self, failures: int, jitter: float) -> float:
        """How long to wait after so many failures in a row, 1 or more; 0 ≤ jitter < 1."""
        full_s: float = min(self.pause_min_s * 2 ** min(failures - 1, 16), self.pause_max_s)
        return full_s * (1 - jitter / 2)


DECIDE_RETRY: Final = Retry(attempts_max=3, pause_min_s=0.01, pause_max_s=0.02)
"""Why so few: a sidecar that is gone must not cost each request the whole deadline of a decision."""
EVENT_RETRY: Final = Retry(attempts_max=20, pause_min_s=0.02, pause_max_s=0.2)
"""Why so many: an event has no default, so its deadline is the bound."""
WATCH_RETRY: Final = Retry(attempts_max=1, pause_min_s=0.1, pause_max_s=5.0)
"""Of a stream, only the pauses: it is opened again until the client is closed."""

BUFFER_RETRY: Final = Retry(attempts_max=1, pause_min_s=0.1, pause_max_s=5.0)
"""Of the buffer and of an import, only the pauses between two tries of the same events."""


class ConnectOptions(TypedDict, total=False):
    """The keyword arguments of `connect`; each is a field of Settings and explained there."""

    tls: Tls | bool
    token: Token
    datafile: str
    strict: bool
    decide_timeout_s: float
    event_timeout_s: float
    status_timeout_s: float
    import_timeout_s: float
    buffer_events_max: int
    buffer_bytes_max: int
    reply_bytes_max: int
    transport: TransportName


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `connect` was told. Raises ValueError for an address or a bound that cannot be."""

    address: str = DEFAULT_ADDRESS
    """`HOST:PORT` or `unix:PATH`."""
    tls: Tls | bool = False
    """Plain text by default: the sidecar listens on loopback or a Unix socket. True = system authorities."""
    token: Token = ""
    """Sent as `authorization: Bearer …` when not empty."""
    datafile: str = ""
    """The datafile's name or SDK key of users that name none; empty = the sidecar's default."""
    strict: bool = False
    """Raise when a decision fails, instead of answering its default."""
    decide_timeout_s: float = 0.25
    event_timeout_s: float = 1.0
    status_timeout_s: float = 5.0
    """Of `status`, `explain` and `decide_many`, none of which stands in a request's way; `flush` is told its own."""
    import_timeout_s: float = 10.0
    """Of one batch of `import_events`."""
    buffer_events_max: int = 0
    """Events kept in memory while no sidecar takes them, to be sent later in order; 0 = none: the call raises."""
    buffer_bytes_max: int = 8 * 1024 * 1024
    """The bytes of those. Past either bound the oldest is dropped, and counted."""
    reply_bytes_max: int = 32 * 1024 * 1024
    """The largest reply taken: decisions of many flags for many users need it."""
    transport: TransportName = "auto"
    """`native` needs the package decision-sidecar-native and costs a third to a half of grpcio; `auto`: where it is.

    SIDECAR_CLIENT_TRANSPORT in the environment stands above it.
    """

    def __post_init__(self) -> None:
        kind, _, rest = self.address.partition(":")
        unix = kind == "unix" and rest != ""
        host, _, port = self.address.rpartition(":")
        if not unix and not (host and port.isascii() and port.isdigit() and 0 < int(port) <= PORT_MAX):
            raise ValueError(f"address is `{self.address}`, wanted `HOST:PORT` or `unix:PATH`")
        for name in ("decide_timeout_s", "event_timeout_s", "status_timeout_s", "import_timeout_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, wanted more than 0")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport is `{self.transport}`, wanted {', '.join(TRANSPORTS)}")
        for name in ("buffer_events_max", "buffer_bytes_max"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, wanted 0 or more")
        if isinstance(self.token, str) and (problem := _problem(self.token)):
            raise ValueError(problem)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The headers of one try: token, asked here when it is a function, and the trace of the caller's span.

        Raises WireFailure, code UNAUTHENTICATED, for a token of a function that no header can hold.
        """
        traced = _tracing.headers() if _tracing.MODULE in sys.modules else ()
        if not self.token:
            return traced
        token = self.token
        if not isinstance(token, str):
            token = token()
            if problem := _problem(token):
                raise WireFailure("UNAUTHENTICATED", problem)
        return (("authorization", f"Bearer {token}"), *traced) if token else traced


def _problem(token: str) -> str:
    """Why no header can hold it, "" when one can. Says where, and nothing of the token, which is a secret.

    Source: RFC 6750 section 2.1, whose tokens are visible ASCII; a file's last newline is the usual mistake.
    """
    for place, character in enumerate(token):
        if not "!" <= character <= "~":
            return (
                f"token has U+{ord(character):04X} at character {place + 1} of {len(token)}, wanted visible ASCII alone"
            )
    return ""
