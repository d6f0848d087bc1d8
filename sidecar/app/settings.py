"""The whole configuration: the sections of the adapters composed, with what each field is for.

Where the values come from is `configured`'s business. Reference: docs/configuration.md, generated from these
declarations.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sidecar import limits
from sidecar.config import Secret
from sidecar.delivery.section import DeliverySection
from sidecar.errors import ConfigInvalid
from sidecar.exposures import ExposuresSection
from sidecar.outbox import OutboxSection
from sidecar.profiles.section import ForcedVariationsSection, ProfilesSection
from sidecar.transport.listen import TcpAddress, parse_address


class TransportName(StrEnum):
    """Which wire serves gRPC."""

    AUTO = "auto"
    NATIVE = "native"
    GRPCIO = "grpcio"


class DecideOptionName(StrEnum):
    """The decide options, by the names of Optimizely's SDKs."""

    DISABLE_DECISION_EVENT = "DISABLE_DECISION_EVENT"
    ENABLED_FLAGS_ONLY = "ENABLED_FLAGS_ONLY"
    IGNORE_USER_PROFILE_SERVICE = "IGNORE_USER_PROFILE_SERVICE"
    INCLUDE_REASONS = "INCLUDE_REASONS"
    EXCLUDE_VARIABLES = "EXCLUDE_VARIABLES"


class LogLevel(StrEnum):
    """The least level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSection:
    """The log, on standard error: one line per change of state, none per request."""

    level: LogLevel = LogLevel.INFO
    """The least level that is logged."""
    format: LogFormat = LogFormat.JSON
    """`json` for machines, `console` for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `sidecar serve` can be told."""

    datafile: str | None = field(default=None, repr=False)
    """Path or URL of the one datafile; short for `datafiles: {default: {path: …}}` or `{url: …}`."""
    sdk_key: str | None = field(default=None, repr=False)
    """SDK key of the one datafile, fetched from Optimizely; short for `datafiles: {default: {sdk_key: …}}`."""
    access_token: Secret | None = None
    """Datafile access token that goes with `sdk_key`, for a secure environment."""
    datafiles: dict[str, object] = field(default_factory=dict, repr=False)
    """Datafiles by name, each with its source (`path`, `url` or `sdk_key` and their keys) and, optionally,
    `destinations`: the names that its events go to; absent = all. In the file alone."""
    destination: tuple[str, ...] = ()
    """Types of destinations to have with their defaults, each named like its type; short for `destinations`."""
    destinations: tuple[object, ...] = field(default=(), repr=False)
    """Destinations, each with `name`, `type` and the keys of its type. None at all = one of type `optimizely`, as an
    SDK has. In the file alone."""
    default_decide_options: tuple[DecideOptionName, ...] = ()
    """Options that every Decide has besides its own."""
    grpc_listen: tuple[str, ...] = ("127.0.0.1:8013",)
    """Where gRPC listens: `HOST:PORT` or `unix:PATH`, several at once."""
    http_listen: str = "127.0.0.1:8014"
    """Where HTTP listens (liveness, readiness, metrics): `HOST:PORT`, or `off`."""
    socket_mode: str = "0660"
    """Mode of the Unix sockets' files: four octal digits."""
    data_dir: Path = Path(".sidecar")
    """Where the outbox and the last good datafiles are kept. One process at a time; made when it is missing."""
    transport: TransportName = TransportName.AUTO
    """Which wire serves gRPC: `native`, `grpcio`, or `auto`: native where its package is installed, else grpcio."""
    tls_cert: Path | None = None
    """PEM file of the server's certificate; with `tls_key` gRPC is served over TLS. Read again when it changes."""
    tls_key: Path | None = None
    """PEM file of the certificate's key."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities that clients' certificates must come from; absent = clients need none."""
    token_file: Path | None = None
    """File with the bearer token that gRPC calls must carry; absent = none. Read again when it changes."""
    admin_over_tcp: bool = False
    """Whether `AdminService`, which shows events and deletes dead letters, is served over TCP too, to whoever can reach
    the port and has the token, if one is asked for. Default no: Unix sockets alone, whose files have an owner."""
    stop_delay_s: float = limits.STOP_DELAY_S
    """How long new calls are still taken after SIGTERM, since all containers of a pod are stopped together."""
    grace_s: float = limits.GRACE_S
    """How long running calls may take to finish after that."""
    drain_s: float = limits.DRAIN_S
    """How long deliveries may go on after that. What is left is on disk, and leaves after the next start."""
    outbox: OutboxSection = field(default_factory=OutboxSection)
    """The durable queue."""
    delivery: DeliverySection = field(default_factory=DeliverySection)
    """How delivery waits for destinations that fail."""
    profiles: ProfilesSection = field(default_factory=ProfilesSection)
    """Sticky profiles."""
    forced_variations: ForcedVariationsSection = field(default_factory=ForcedVariationsSection)
    """Variations set by API."""
    exposures: ExposuresSection = field(default_factory=ExposuresSection)
    """What is remembered of impressions, to tell conversions that cannot count."""
    log: LogSection = field(default_factory=LogSection)
    """The log."""
    hints: bool = False
    """Whether to print, once it serves, commands to try next."""

    def __post_init__(self) -> None:
        """Raise `ConfigInvalid` for fields that contradict each other and addresses that are none."""
        problems = [*self._contradictions(), *self._wrong_addresses()]
        if re.fullmatch(r"0[0-7]{3}", self.socket_mode) is None:
            problems.append(f"socket_mode is `{self.socket_mode}`, wanted four octal digits, as 0660")
        if problems:
            raise ConfigInvalid(problems)

    def _contradictions(self) -> Iterator[str]:
        if self.datafile and self.sdk_key:
            yield "datafile and sdk_key are both given, wanted one of them"
        if (self.datafile or self.sdk_key) and self.datafiles:
            yield "datafile or sdk_key is given beside datafiles, wanted one way"
        if self.access_token and not self.sdk_key:
            yield "access_token is given without sdk_key, wanted both, or the token in datafiles"
        if (self.tls_cert is None) != (self.tls_key is None):
            yield "tls_cert and tls_key go together, wanted both or none"
        if self.tls_client_ca and self.tls_cert is None:
            yield "tls_client_ca is given without tls_cert and tls_key"

    def _wrong_addresses(self) -> Iterator[str]:
        if not self.grpc_listen:
            yield "grpc_listen is empty, wanted at least one address"
        for at, text in enumerate(self.grpc_listen):
            if text in self.grpc_listen[:at] and not text.endswith(":0"):
                yield f"grpc_listen[{at}] is `{text}` again, wanted each address once"
            with contextlib.suppress(ConfigInvalid):
                parse_address(text)
                continue
            yield f"grpc_listen[{at}] is `{text}`, wanted HOST:PORT or unix:PATH (at most 107 bytes)"
        if self.http_listen != "off":
            with contextlib.suppress(ConfigInvalid):
                if isinstance(parse_address(self.http_listen), TcpAddress):
                    return
            yield f"http_listen is `{self.http_listen}`, wanted HOST:PORT or `off`"
