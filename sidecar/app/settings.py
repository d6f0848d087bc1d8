"""The whole configuration: the sections of the adapters composed, and where values come from.

Precedence: flags, then `SIDECAR_…` variables, then the YAML file, then the defaults below. Every mistake is reported at
once with its path. Reference: docs/configuration.md, generated from these declarations.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sidecar import config, limits
from sidecar.app.file import read_file
from sidecar.config import Secret
from sidecar.destinations.catalog import TYPES
from sidecar.errors import ConfigInvalid
from sidecar.exposures import ExposuresSection
from sidecar.outbox import OutboxSection
from sidecar.profiles.section import ForcedVariationsSection, ProfilesSection
from sidecar.sources.file import FileSourceSection
from sidecar.sources.http import HttpSourceSection
from sidecar.sources.optimizely import OptimizelySourceSection
from sidecar.transport.listen import TcpAddress, parse_address

ReadT = TypeVar("ReadT")


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

    datafile: str | None = None
    """Path or URL of the one datafile; short for `datafiles: {default: {path: …}}` or `{url: …}`."""
    sdk_key: str | None = None
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
    """Which wire serves gRPC: `native`, `grpcio`, or `auto` for the best that is installed."""
    tls_cert: Path | None = None
    """PEM file of the server's certificate; with `tls_key` gRPC is served over TLS. Read again when it changes."""
    tls_key: Path | None = None
    """PEM file of the certificate's key."""
    tls_client_ca: Path | None = None
    """PEM file of the authorities that clients' certificates must come from; absent = clients need none."""
    token_file: Path | None = None
    """File with the bearer token that gRPC calls must carry; absent = none. Read again when it changes."""
    stop_delay_s: float = limits.STOP_DELAY_S
    """How long new calls are still taken after SIGTERM, since all containers of a pod are stopped together."""
    grace_s: float = limits.GRACE_S
    """How long running calls may take to finish after that."""
    drain_s: float = limits.DRAIN_S
    """How long deliveries may go on after that. What is left is on disk, and leaves after the next start."""
    outbox: OutboxSection = field(default_factory=OutboxSection)
    """The durable queue."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileSettings:
    """One named datafile: the section of its source, and the destinations of its events (None = all)."""

    name: str
    source: FileSourceSection | HttpSourceSection | OptimizelySourceSection
    destinations: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One named destination and the section of its type."""

    name: str
    type: str
    section: Any


_SOURCES = {"path": FileSourceSection, "url": HttpSourceSection, "sdk_key": OptimizelySourceSection}


def load(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Settings:
    """The settings of a start. `flags` is a mapping of YAML keys; `file` the YAML file, if any.

    Raises `ConfigInvalid` with every mistake, of each datafile and destination too.
    """
    problems: list[str] = []
    known = list(config.options(Settings))
    layers = (
        _collected(problems, lambda: read_file(file) if file else {}),
        _collected(problems, lambda: config.from_environment(known, environment)),
        flags,
    )
    given = config.merge(*(layer for layer in layers if layer is not None))
    settings = _collected(problems, lambda: config.read(Settings, given))
    lists = _lists_alone(given) if settings is None else settings
    _collected(problems, lambda: destinations(lists))
    _collected(problems, lambda: datafiles(lists))
    if problems or settings is None:
        raise ConfigInvalid(tuple(dict.fromkeys(problems)))
    return settings


def _collected(problems: list[str], read: Callable[[], ReadT]) -> ReadT | None:
    """What is read, or None when its mistakes were added to the problems."""
    try:
        return read()
    except ConfigInvalid as invalid:
        problems.extend(invalid.problems)
        return None


def _lists_alone(given: Mapping[str, object]) -> Settings:
    """The datafiles and destinations of settings that cannot be read as a whole: their mistakes are to be said too."""
    named, some, kinds = given.get("datafiles"), given.get("destinations"), given.get("destination")
    return Settings(
        destination=tuple(kinds) if isinstance(kinds, list | tuple) else (),
        datafiles=dict(named) if isinstance(named, Mapping) else {},
        destinations=tuple(some) if isinstance(some, list | tuple) else (),
    )


def datafiles(settings: Settings) -> tuple[DatafileSettings, ...]:
    """The datafiles of the settings, in their order. Raises `ConfigInvalid`."""
    given: Mapping[str, object] = settings.datafiles
    if settings.datafile:
        # Why any scheme: a path is shown in logs, and the user and password of a URL must not be.
        key = "url" if "://" in settings.datafile else "path"
        given = {"default": {key: settings.datafile}}
    elif settings.sdk_key:
        token = {"access_token": settings.access_token} if settings.access_token else {}
        given = {"default": {"sdk_key": settings.sdk_key, **token}}
    problems: list[str] = []
    found = []
    for name, keys in given.items():
        try:
            found.append(_datafile(name, keys))
        except ConfigInvalid as invalid:
            problems.extend(invalid.problems)
    # By what is written: a destination with a mistake of its own is still one of that name.
    known = [keys.get("name") for keys in _given_destinations(settings) if isinstance(keys, Mapping)]
    for datafile in found:
        problems.extend(
            f"datafiles.{datafile.name}.destinations names `{name}`, which is not among destinations"
            for name in datafile.destinations or ()
            if name not in known
        )
    if problems:
        raise ConfigInvalid(problems)
    return tuple(found)


def destinations(settings: Settings) -> tuple[DestinationSettings, ...]:
    """The destinations of the settings, in their order. Raises `ConfigInvalid`."""
    problems: list[str] = []
    found: dict[str, DestinationSettings] = {}
    for at, keys in enumerate(_given_destinations(settings)):
        try:
            one = _destination(keys, f"destinations[{at}]")
        except ConfigInvalid as invalid:
            problems.extend(invalid.problems)
            continue
        if one.name in found:
            problems.append(f"destinations[{at}].name is `{one.name}` again, wanted each name once")
        found[one.name] = one
    if problems:
        raise ConfigInvalid(problems)
    return tuple(found.values())


def _given_destinations(settings: Settings) -> list[object]:
    given: list[object] = [*settings.destinations]
    given.extend({"name": kind, "type": kind} for kind in settings.destination)
    return given or [{"name": "optimizely", "type": "optimizely"}]


def _datafile(name: str, keys: object) -> DatafileSettings:
    where = f"datafiles.{name}"
    if not isinstance(keys, Mapping):
        raise ConfigInvalid([f"{where} is {config.kind_of(keys)}, wanted a mapping with `path`, `url` or `sdk_key`"])
    kinds = [key for key in _SOURCES if key in keys]
    if len(kinds) != 1:
        got = " and ".join(f"`{kind}`" for kind in kinds) or "none of them"
        raise ConfigInvalid([f"{where} has {got}, wanted one of `path`, `url` and `sdk_key`"])
    own = {key: value for key, value in keys.items() if key != "destinations"}
    named = keys.get("destinations")
    if named is not None and not (isinstance(named, list) and all(isinstance(one, str) for one in named)):
        raise ConfigInvalid([f"{where}.destinations is {config.shown(named)}, wanted a list of names"])
    source: Any = config.read(_SOURCES[kinds[0]], own, where, beside=["destinations"])
    return DatafileSettings(name=name, source=source, destinations=None if named is None else tuple(named))


def _destination(keys: object, where: str) -> DestinationSettings:
    if not isinstance(keys, Mapping):
        raise ConfigInvalid([f"{where} is {config.kind_of(keys)}, wanted a mapping with `name` and `type`"])
    name, kind = keys.get("name"), keys.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise ConfigInvalid(
            [f"{where}.type is {config.shown(kind)}, wanted one of {', '.join(f'`{one}`' for one in TYPES)}"]
        )
    if not isinstance(name, str) or not name:
        raise ConfigInvalid([f"{where}.name is {config.shown(name)}, wanted a name, not empty"])
    own = {key: value for key, value in keys.items() if key not in ("name", "type")}
    return DestinationSettings(name=name, type=kind, section=config.read(TYPES[kind].section, own, where))
