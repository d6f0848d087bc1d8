"""Makes adapters out of sections: destinations, the outbox, sources, the wire. Only the outbox is started here."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from sidecar.app.configured import DatafileSettings, destinations_of
from sidecar.app.settings import Settings, TransportName
from sidecar.datafiles import NamedSource, Slices
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.http import HttpClient
from sidecar.destinations.ruled import RuledDestination
from sidecar.errors import ConfigInvalid
from sidecar.outbox import DestinationBounds, SqliteOutbox
from sidecar.ports import Clock, Destination, Source
from sidecar.rpc.methods import MethodTable, Refusal
from sidecar.rpc.plain import MakesReader
from sidecar.sources.file import FileSource, FileSourceSection, Watches
from sidecar.sources.http import HttpSource, HttpSourceSection
from sidecar.sources.optimizely import OptimizelySourceSection, optimizely_source
from sidecar.telemetry import Telemetry
from sidecar.transport import Transport
from sidecar.transport.listen import ListenOptions, TlsFiles, parse_address
from sidecar.transport.native import codec

if TYPE_CHECKING:
    from sidecar.sources.watching import DirectoryWatches


def destinations(settings: Settings, client: HttpClient) -> Sequence[Destination]:
    """The configured destinations, in their order. Raises `ConfigInvalid`."""
    found: list[Destination] = []
    for one in destinations_of(settings):
        made = TYPES[one.type].make(one.name, one.section, client)
        # Why not always: without rules an event should cost nothing more.
        found.append(RuledDestination(made, one.rules.compiled()) if one.rules else made)
    return found


async def open_outbox(settings: Settings, names: Sequence[str], clock: Clock) -> SqliteOutbox:
    """The outbox in the data directory. Raises `OutboxSchemaNewer`, `OutboxUnopened`."""
    bounds = DestinationBounds(
        bytes_max=settings.outbox.bytes_max, dead_letter_bytes_max=settings.outbox.dead_letter_bytes_max
    )
    return await SqliteOutbox.open(
        settings.data_dir,
        durability=settings.outbox.durability,
        destinations=dict.fromkeys(names, bounds),
        clock=clock,
        former_names={former: one.name for one in destinations_of(settings) for former in one.formerly},
    )


def watches_for(configured: Sequence[DatafileSettings]) -> DirectoryWatches | None:
    """What watches directories, when a file is configured."""
    if not any(isinstance(one.source, FileSourceSection) for one in configured):
        return None
    # Why here: watchdog costs memory and start-up time, and only files need it.
    from sidecar.sources.watching import DirectoryWatches

    return DirectoryWatches()


def named_source(one: DatafileSettings, watches: Watches | None) -> NamedSource:
    """The source of one datafile."""
    section = one.source
    if isinstance(section, OptimizelySourceSection):
        source: Source = optimizely_source(section, jitter=random.random, gently=Slices)
        return NamedSource(name=one.name, source=source, sdk_key=section.sdk_key)
    if isinstance(section, HttpSourceSection):
        return NamedSource(name=one.name, source=HttpSource(section, jitter=random.random, gently=Slices))
    return NamedSource(name=one.name, source=FileSource(section, watches=watches, gently=Slices))


def transport_of(settings: Settings, telemetry: Telemetry) -> Callable[[MethodTable], Transport]:
    """The wire, but for its table; what is wrong with its settings is found before anything is opened."""
    name = _chosen(settings.transport)

    def on_refused(method: str, refusal: Refusal) -> None:
        telemetry.refusals[method, refusal.code.name] += 1

    tls = None
    if settings.tls_cert and settings.tls_key:
        tls = TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        tls.raise_if_unusable()
    options = ListenOptions(
        addresses=[parse_address(text) for text in settings.grpc_listen],
        tls=tls,
        socket_mode=int(settings.socket_mode, 8),
    )
    # Why here: each wire costs memory and start-up time, and one of them serves.
    if name is TransportName.NATIVE:
        from sidecar.transport.native.server import NativeTransport

        return lambda table: NativeTransport(table, options, on_refused)
    from sidecar.transport.grpcio import GrpcioTransport

    return lambda table: GrpcioTransport(table, options, on_refused)


def makes_reader(settings: Settings) -> MakesReader | None:
    """What reads plain requests in one step: it comes with the native wire."""
    if settings.transport is TransportName.GRPCIO or codec.missing():
        return None
    from sidecar.transport.native.plain import reader

    return reader


def _chosen(wanted: TransportName) -> TransportName:
    """The wire to serve with, said in the log where it was ours to choose. Raises `ConfigInvalid`."""
    if wanted is TransportName.GRPCIO:
        return wanted
    missing = codec.missing()
    if wanted is TransportName.NATIVE:
        if missing:
            how = "build it with `make setup`, where cargo and a C compiler are, or install its wheel"
            raise ConfigInvalid([f"transport is `native`, but {missing}; {how}, or take `auto` or `grpcio`"])
        return wanted
    chosen = TransportName.GRPCIO if missing else TransportName.NATIVE
    structlog.get_logger().info("transport_chosen", transport=chosen.value, cause=missing or "it is installed")
    return chosen
