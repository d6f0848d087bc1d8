"""Makes the parts of the daemon out of its settings and puts them together. The only constructor of adapters."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar import decision
from sidecar.app import settings as schema
from sidecar.app.settings import DatafileSettings, Settings, TransportName
from sidecar.app.system import RandomIds, SystemClock, TokenFile
from sidecar.datafiles import Datafiles, LastGood, NamedSource, Snapshot
from sidecar.decider import Decider
from sidecar.delivery import Delivery, Pace
from sidecar.destinations.catalog import TYPES
from sidecar.destinations.http import HttpClient
from sidecar.errors import ConfigInvalid
from sidecar.events.model import EventKind
from sidecar.http.metrics import Metrics
from sidecar.outbox import DestinationBounds, SqliteOutbox
from sidecar.ports import Destination, Source
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.datafile import DatafileHandlers
from sidecar.rpc.decision import DecisionHandlers
from sidecar.rpc.gate import Gate
from sidecar.rpc.health import DATAFILE, Health, service_names
from sidecar.rpc.methods import MethodTable, Refusal
from sidecar.rpc.records import StoredRecordCodec
from sidecar.rpc.table import method_table
from sidecar.rpc.tracking import TrackingHandlers
from sidecar.sources.file import FileSource, FileSourceSection, Watches
from sidecar.sources.http import HttpSource, HttpSourceSection
from sidecar.sources.optimizely import OptimizelySourceSection, optimizely_source
from sidecar.telemetry import Telemetry
from sidecar.tracker import Tracker
from sidecar.transport.grpcio import GrpcioOptions, GrpcioTransport
from sidecar.transport.listen import TlsFiles, parse_address

if TYPE_CHECKING:
    from sidecar.sources.watching import DirectoryWatches


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Every part of one daemon, made and not started."""

    outbox: SqliteOutbox
    destinations: Sequence[Destination]
    datafiles: Datafiles
    delivery: Delivery
    health: Health
    gate: Gate
    transport: GrpcioTransport
    metrics: Metrics


async def build(settings: Settings, closing: AsyncExitStack) -> Parts:
    """Open the outbox and make everything on top of it. Called on the event loop, with the data directory locked.

    What must be closed is pushed on `closing` as soon as it is made, so that the last made is closed first. Raises
    `ConfigInvalid`, `OutboxSchemaNewer`, and `OSError` when the outbox's file cannot be made.
    """
    clock, ids, telemetry = SystemClock(), RandomIds(), Telemetry()
    records, client, health = StoredRecordCodec(), HttpClient(), Health()
    configured = schema.datafiles(settings)
    destinations = _destinations(settings, client)
    token = TokenFile(settings.token_file, clock) if settings.token_file else _no_token
    transport_of = _transport(settings, telemetry)
    closing.push_async_callback(client.close)
    outbox = await _open_outbox(settings, destinations, clock)
    closing.push_async_callback(outbox.close)
    for destination in destinations:
        closing.push_async_callback(destination.close)
    watches = _watches(configured)
    if watches is not None:
        closing.callback(watches.close)
    datafiles = Datafiles(
        [_named_source(one, watches) for one in configured],
        load=decision.load,
        codec=AnswerCodec(),
        encode_facts=records.encode_facts,
        clock=clock,
        last_good=LastGood(settings.data_dir / "datafiles"),
        on_applied=[_serves(health, configured)],
    )
    closing.push_async_callback(datafiles.close)
    takers = {one.name: _takers(destinations, one.destinations) for one in configured} or {"": destinations}
    delivery = Delivery(
        outbox=outbox,
        codec=records,
        destinations=destinations,
        clock=clock,
        ids=ids,
        random=random.random,
        pace=Pace(pending_age_max_s={one.name: settings.outbox.age_max_s for one in destinations}),
    )
    decider = Decider(
        outbox=outbox,
        codec=AnswerCodec(),
        clock=clock,
        ids=ids,
        impression_destinations={
            name: [destination.name for destination in some if destination.takes(EventKind.IMPRESSION)]
            for name, some in takers.items()
        },
        telemetry=telemetry,
    )
    tracker = Tracker(datafiles=datafiles, outbox=outbox, destinations=takers, telemetry=telemetry)
    gate = Gate(telemetry, token)
    table = method_table(
        [
            DecisionHandlers(
                datafiles, decider, [option.value for option in settings.default_decide_options]
            ).methods(),
            TrackingHandlers(tracker, delivery, clock, ids).methods(),
            DatafileHandlers(datafiles).methods(),
            health.methods(),
        ]
    )
    health.name_services(service_names(table))
    return Parts(
        outbox=outbox,
        destinations=destinations,
        datafiles=datafiles,
        delivery=delivery,
        health=health,
        gate=gate,
        transport=transport_of(gate.guard(table)),
        metrics=Metrics(
            transport="grpcio",
            telemetry=telemetry,
            outbox=outbox,
            outbox_facts=outbox.stats,
            delivery=delivery,
            datafiles=datafiles,
            clock=clock,
        ),
    )


def _no_token() -> None:
    """Calls need no token."""


def _destinations(settings: Settings, client: HttpClient) -> Sequence[Destination]:
    return [TYPES[one.type].make(one.name, one.section, client) for one in schema.destinations(settings)]


def _takers(destinations: Sequence[Destination], names: Sequence[str] | None) -> Sequence[Destination]:
    if names is None:
        return destinations
    return [destination for destination in destinations if destination.name in names]


async def _open_outbox(settings: Settings, destinations: Sequence[Destination], clock: SystemClock) -> SqliteOutbox:
    bounds = DestinationBounds(
        bytes_max=settings.outbox.bytes_max, dead_letter_bytes_max=settings.outbox.dead_letter_bytes_max
    )
    return await SqliteOutbox.open(
        settings.data_dir,
        durability=settings.outbox.durability,
        destinations={destination.name: bounds for destination in destinations},
        clock=clock,
    )


def _watches(configured: Sequence[DatafileSettings]) -> DirectoryWatches | None:
    if not any(isinstance(one.source, FileSourceSection) for one in configured):
        return None
    # Why here: watchdog costs memory and start-up time, and only files need it.
    from sidecar.sources.watching import DirectoryWatches

    return DirectoryWatches()


def _named_source(one: DatafileSettings, watches: Watches | None) -> NamedSource:
    section = one.source
    if isinstance(section, OptimizelySourceSection):
        source: Source = optimizely_source(section, jitter=random.random)
        return NamedSource(name=one.name, source=source, sdk_key=section.sdk_key)
    if isinstance(section, HttpSourceSection):
        return NamedSource(name=one.name, source=HttpSource(section, jitter=random.random))
    return NamedSource(name=one.name, source=FileSource(section, watches=watches))


def _serves(health: Health, configured: Sequence[DatafileSettings]) -> Callable[[Snapshot], None]:
    """SERVING means that the first decision will succeed: the default datafile is applied, or none is configured."""
    names = [one.name for one in configured]
    default = "default" if "default" in names else next(iter(names), "")
    for name in names:
        health.set(DATAFILE + name, serving=False)
    health.set("", serving=not names)

    def applied(snapshot: Snapshot) -> None:
        health.set(DATAFILE + snapshot.name, serving=True)
        if snapshot.name == default:
            health.set("", serving=True)

    return applied


def _transport(settings: Settings, telemetry: Telemetry) -> Callable[[MethodTable], GrpcioTransport]:
    """The wire, but for its table; what is wrong with its settings is found before anything is opened."""
    if settings.transport is TransportName.NATIVE:
        raise ConfigInvalid(["transport is `native`, which this build does not have; wanted `auto` or `grpcio`"])

    def on_refused(method: str, refusal: Refusal) -> None:
        telemetry.refusals[method, refusal.code.name] += 1

    tls = None
    if settings.tls_cert and settings.tls_key:
        tls = TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        _raise_if_unreadable(tls)
    options = GrpcioOptions(
        addresses=[parse_address(text) for text in settings.grpc_listen],
        tls=tls,
        socket_mode=int(settings.socket_mode, 8),
    )
    return lambda table: GrpcioTransport(table, options, on_refused)


def _raise_if_unreadable(tls: TlsFiles) -> None:
    problems = []
    named: Mapping[str, Path | None] = {
        "tls_cert": tls.certificate,
        "tls_key": tls.key,
        "tls_client_ca": tls.client_ca,
    }
    for key, path in named.items():
        if path is not None:
            try:
                path.read_bytes()
            except OSError as unreadable:
                problems.append(f"{key} `{path}` cannot be read: {unreadable.strerror}")
    if problems:
        raise ConfigInvalid(problems)
