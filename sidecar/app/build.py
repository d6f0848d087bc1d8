"""Puts the daemon together: acts on adapters, faces on acts, a wire around the faces."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from sidecar import decision
from sidecar.app import adapters
from sidecar.app.configured import DatafileSettings, datafiles_of
from sidecar.app.impressions import impression_names, impression_windows, window_metrics
from sidecar.app.settings import Settings
from sidecar.app.state import DecisionState, decision_state
from sidecar.app.system import RandomIds, SystemClock, TokenFile
from sidecar.classic import Classic
from sidecar.datafiles import Datafiles, LastGood, Snapshot
from sidecar.decider import Decider
from sidecar.delivery import Delivery, Pace
from sidecar.destinations.http import HttpClient
from sidecar.exposures import Exposures
from sidecar.http.metrics import Metrics
from sidecar.importer import Importer
from sidecar.impressions import ChosenImpressions
from sidecar.notifications import Notifications
from sidecar.outbox import SqliteOutbox
from sidecar.ports import Destination
from sidecar.rpc.admin import ADMIN, AdminGround, AdminHandlers
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.classic import ClassicHandlers
from sidecar.rpc.datafile import DatafileHandlers
from sidecar.rpc.decision import DecisionHandlers
from sidecar.rpc.flush import FlushHandlers
from sidecar.rpc.gate import Gate
from sidecar.rpc.health import DATAFILE, Health, service_names
from sidecar.rpc.importing import ImportHandlers
from sidecar.rpc.methods import MethodTable
from sidecar.rpc.notification import NotificationHandlers
from sidecar.rpc.profile import PROFILES, ProfileHandlers
from sidecar.rpc.records import StoredRecordCodec
from sidecar.rpc.table import method_table
from sidecar.rpc.tracking import TrackingHandlers
from sidecar.telemetry import Telemetry
from sidecar.tracker import Tracker
from sidecar.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Every part of one daemon that its life touches, made and not started."""

    outbox: SqliteOutbox
    destinations: Sequence[Destination]
    datafiles: Datafiles
    delivery: Delivery
    keeping: Sequence[Callable[[], Coroutine[Any, Any, None]]]
    """The services of the state that decisions read and leave: sticky profiles and exposures, where they are on."""
    health: Health
    gate: Gate
    table: MethodTable
    transport: Transport
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What the acts stand on."""

    settings: Settings
    configured: Sequence[DatafileSettings]
    clock: SystemClock
    ids: RandomIds
    telemetry: Telemetry
    records: StoredRecordCodec
    outbox: SqliteOutbox
    destinations: Sequence[Destination]
    takers: Mapping[str, Sequence[Destination]]
    """The destinations of each datafile's events; of "" when none is configured."""
    state: DecisionState
    notifications: Notifications
    exposures: Exposures | None
    windows: Mapping[str, Exposures]
    """By destination: the views that it got, where it wants each once in a while."""


async def build(settings: Settings, closing: AsyncExitStack) -> Parts:
    """Open the outbox and make everything on top of it. Called on the event loop, with the data directory locked.

    What must be closed is pushed on `closing` as soon as it is made, so that the last made is closed first. Raises
    `ConfigInvalid`, `OutboxSchemaNewer`, `OutboxUnopened`.
    """
    clock, telemetry = SystemClock(), Telemetry()
    gate = Gate(telemetry, TokenFile(settings.token_file, clock) if settings.token_file else None)
    transport_of = adapters.transport_of(settings, telemetry)
    ground = await _ground(settings, clock, telemetry, closing)
    health = Health()
    datafiles = _datafiles(ground, health, closing)
    delivery = _delivery(ground)
    table = gate.guard(_table(ground, datafiles, delivery, health))
    transport = transport_of(table)
    return Parts(
        outbox=ground.outbox,
        destinations=ground.destinations,
        datafiles=datafiles,
        delivery=delivery,
        keeping=[
            *ground.state.services(),
            *(ground.exposures.services() if ground.exposures else ()),
            *(service for window in ground.windows.values() for service in window.services()),
        ],
        health=health,
        gate=gate,
        table=table,
        transport=transport,
        metrics=Metrics(
            transport=transport.name,
            telemetry=telemetry,
            outbox=ground.outbox,
            outbox_facts=ground.outbox.stats,
            delivery=delivery,
            datafiles=datafiles,
            clock=clock,
            notifications=ground.notifications,
            exposures=ground.exposures,
            more=lambda: [*ground.state.metrics(), *window_metrics(ground.windows)],
        ),
    )


async def _ground(settings: Settings, clock: SystemClock, telemetry: Telemetry, closing: AsyncExitStack) -> _Ground:
    configured = datafiles_of(settings)
    client = HttpClient()
    closing.push_async_callback(client.close)
    destinations = adapters.destinations(settings, client)
    outbox = await adapters.open_outbox(settings, [one.name for one in destinations], clock)
    closing.push_async_callback(outbox.close)
    for destination in destinations:
        closing.push_async_callback(destination.close)
    return _Ground(
        settings=settings,
        configured=configured,
        clock=clock,
        ids=RandomIds(),
        telemetry=telemetry,
        records=StoredRecordCodec(),
        outbox=outbox,
        destinations=destinations,
        takers={one.name: _takers(destinations, one.destinations) for one in configured} or {"": destinations},
        state=await decision_state(settings, clock, closing),
        notifications=Notifications(clock),
        exposures=await _exposures(settings, clock, closing),
        windows=await impression_windows(settings, clock, closing),
    )


async def _exposures(settings: Settings, clock: SystemClock, closing: AsyncExitStack) -> Exposures | None:
    if not settings.exposures.remember:
        return None
    exposures = Exposures(settings.exposures, directory=settings.data_dir, clock=clock)
    await exposures.open()
    closing.push_async_callback(exposures.close)
    return exposures


def _datafiles(ground: _Ground, health: Health, closing: AsyncExitStack) -> Datafiles:
    watches = adapters.watches_for(ground.configured)
    if watches is not None:
        closing.callback(watches.close)
    datafiles = Datafiles(
        [adapters.named_source(one, watches) for one in ground.configured],
        load=decision.load,
        codec=AnswerCodec(),
        encode_facts=ground.records.encode_facts,
        clock=ground.clock,
        last_good=LastGood(ground.settings.data_dir / "datafiles"),
        on_applied=[
            _serves(health, ground.configured),
            lambda applied: ground.notifications.datafile_applied(applied.name, applied.revision),
        ],
    )
    closing.push_async_callback(datafiles.close)
    return datafiles


def _delivery(ground: _Ground) -> Delivery:
    settings, names = ground.settings, [one.name for one in ground.destinations]
    return Delivery(
        outbox=ground.outbox,
        codec=ground.records,
        destinations=ground.destinations,
        clock=ground.clock,
        ids=ground.ids,
        random=random.random,
        pace=Pace.configured(settings.delivery, settings.outbox.age_max_s, names),
        notifications=ground.notifications,
        decisions=lambda: ground.telemetry.decisions,
    )


def _decider(ground: _Ground) -> Decider:
    return Decider(
        outbox=ground.outbox,
        codec=AnswerCodec(),
        clock=ground.clock,
        ids=ground.ids,
        impression_destinations=impression_names(ground.takers),
        telemetry=ground.telemetry,
        forced=ground.state.forced,
        notifications=ground.notifications,
        sticky=ground.state.sticky,
        exposures=ground.exposures,
        chosen=ChosenImpressions(ground.takers, ground.windows, ground.telemetry),
    )


def _table(ground: _Ground, datafiles: Datafiles, delivery: Delivery, health: Health) -> MethodTable:
    options = [option.value for option in ground.settings.default_decide_options]
    decider = _decider(ground)
    classic = Classic(decider=decider, forced=ground.state.forced, telemetry=ground.telemetry)
    tracker = Tracker(
        datafiles=datafiles,
        outbox=ground.outbox,
        destinations=ground.takers,
        telemetry=ground.telemetry,
        notifications=ground.notifications,
        exposures=ground.exposures,
    )
    importer = Importer(tracker, ground.outbox, ground.telemetry)
    sticky = ground.state.sticky
    unix = any(text.startswith("unix:") for text in ground.settings.grpc_listen)
    with_admin = unix or ground.settings.admin_over_tcp
    makes_reader = adapters.makes_reader(ground.settings)
    table = method_table(
        [
            DecisionHandlers(datafiles, decider, ground.telemetry, options, makes_reader).methods(),
            ClassicHandlers(datafiles, decider, classic).methods(),
            TrackingHandlers(tracker, ground.clock, ground.ids, makes_reader).methods(),
            FlushHandlers(tracker, delivery).methods(),
            ImportHandlers(importer, ground.clock, ground.ids).methods(),
            DatafileHandlers(datafiles).methods(),
            NotificationHandlers(ground.notifications, datafiles).methods(),
            ProfileHandlers(datafiles, sticky).methods() if sticky else {},
            _admin(ground, tracker, delivery).methods() if with_admin else {},
            health.methods(),
        ],
        switched_off=[*(() if sticky else (PROFILES,)), *(() if with_admin else (ADMIN,))],
    )
    health.name_services(service_names(table))
    return table


def _admin(ground: _Ground, tracker: Tracker, delivery: Delivery) -> AdminHandlers:
    return AdminHandlers(
        AdminGround(
            outbox=ground.outbox,
            facts=ground.outbox.stats,
            codec=ground.records,
            clock=ground.clock,
            destinations=[one.name for one in ground.destinations],
            takers=tracker.takers,
            statuses=delivery.statuses,
            bytes_max=ground.settings.outbox.bytes_max,
            disk_bytes=ground.outbox.disk_bytes,
        ),
        over_tcp=ground.settings.admin_over_tcp,
    )


def _takers(destinations: Sequence[Destination], names: Sequence[str] | None) -> Sequence[Destination]:
    if names is None:
        return destinations
    return [destination for destination in destinations if destination.name in names]


def _serves(health: Health, configured: Sequence[DatafileSettings]) -> Callable[[Snapshot], None]:
    """SERVING means that the first decision will succeed: the datafile named `default` is applied, else any.

    Why any: where several are served and none is named so, callers name theirs, and one source that fails must not take
    the other projects away. With none configured it serves from the start.
    """
    names = [one.name for one in configured]
    for name in names:
        health.set(DATAFILE + name, serving=False)
    health.set("", serving=not names)

    def applied(snapshot: Snapshot) -> None:
        health.set(DATAFILE + snapshot.name, serving=True)
        if snapshot.name == "default" or "default" not in names:
            health.set("", serving=True)

    return applied
