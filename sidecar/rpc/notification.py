"""`NotificationService`: what the daemon does, as it does it, one message a notification. Rules: docs/notifications.md.

A message is made when its reader takes it, so that what a slow reader loses costs nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from sidecar.datafiles import Datafiles
from sidecar.errors import NoDatafile
from sidecar.events.model import Group, Identify, Page, Screen, Track, kind_of
from sidecar.notifications import (
    DatafileUpdated,
    DecisionMade,
    DeliveryDone,
    EventTracked,
    Kind,
    Notifications,
    Told,
)
from sidecar.pb import notification_pb2, value_pb2
from sidecar.rpc import answers
from sidecar.rpc.methods import Call, Method, ServerStream
from sidecar.rpc.outcomes import outcome_messages
from sidecar.rpc.requests import Violations, parse
from sidecar.rpc.wire_values import to_wire
from sidecar.values import Value

SERVICE: Final = "/sidecar.v1.NotificationService/"

_KINDS: Final[Mapping[int, Kind]] = {
    notification_pb2.NOTIFICATION_KIND_DECISION: Kind.DECISION,
    notification_pb2.NOTIFICATION_KIND_TRACKED: Kind.TRACKED,
    notification_pb2.NOTIFICATION_KIND_DELIVERY: Kind.DELIVERY,
    notification_pb2.NOTIFICATION_KIND_DATAFILE_UPDATE: Kind.DATAFILE_UPDATE,
}


class NotificationHandlers:
    """Handlers of the service over the notifications of the process."""

    def __init__(self, notifications: Notifications, datafiles: Datafiles) -> None:
        self._notifications, self._datafiles = notifications, datafiles

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {SERVICE + "Subscribe": ServerStream(self.subscribe)}

    async def subscribe(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        """`Subscribe`: until the caller leaves or the daemon stops. A slow reader is told how many it lost."""
        violations = Violations()
        message = parse(notification_pb2.SubscribeRequest, request, violations)
        kinds = _read_kinds(message, violations)
        violations.raise_if_any()
        with self._notifications.subscribe(kinds, self._name_of(message.datafile)) as subscription:
            async for told in subscription:
                yield response(told).SerializeToString()

    def _name_of(self, datafile: str) -> str:
        """The configured name that a request means; "" when none is configured at all. Raises `DatafileNotFound`."""
        try:
            return self._datafiles.status(datafile).name
        except NoDatafile:
            return ""


def response(told: Told) -> notification_pb2.SubscribeResponse:
    """One notification as a message."""
    message = notification_pb2.SubscribeResponse(lost=told.lost)
    message.event_time.FromMilliseconds(told.time_ms)
    match told.notification:
        case DecisionMade() as made:
            message.decision.MergeFrom(_decision(made))
        case EventTracked() as tracked:
            message.tracked.MergeFrom(_tracked(tracked))
        case DeliveryDone() as done:
            message.delivery.MergeFrom(_delivery(done))
        case DatafileUpdated() as updated:
            message.datafile_update.MergeFrom(_datafile_update(updated))
    return message


def _read_kinds(message: notification_pb2.SubscribeRequest, violations: Violations) -> frozenset[Kind]:
    kinds = set()
    for at, number in enumerate(message.kinds):
        if number in _KINDS:
            kinds.add(_KINDS[number])
        elif number != notification_pb2.NOTIFICATION_KIND_UNSPECIFIED:
            violations.add(f"kinds[{at}]", f"is the unknown kind {number}, wanted a NotificationKind")
    return frozenset(kinds)


def _decision(made: DecisionMade) -> notification_pb2.DecisionNotification:
    message = notification_pb2.DecisionNotification(
        user_id=made.user_id,
        kind=f"DECISION_KIND_{made.kind.name}",
        decision=answers.message(made.decision),
        decision_id=made.decision_id,
        revision=made.revision,
        datafile=made.datafile,
        impression_offered=made.impression_offered,
        variable_key=made.variable_key,
    )
    _fill(message.attributes, made.attributes)
    return message


def _tracked(tracked: EventTracked) -> notification_pb2.TrackedNotification:
    event, origin = tracked.event, tracked.event.origin
    message = notification_pb2.TrackedNotification(
        kind=f"EVENT_KIND_{kind_of(event).name}",
        event_id=origin.event_id,
        user_id=origin.user_id,
        anonymous_id=origin.anonymous_id,
        outcomes=outcome_messages(tracked.outcomes),
        datafile=tracked.datafile,
    )
    match event:
        case Track():
            message.event_key = event.event_key
            _fill(message.attributes, event.attributes)
            _fill(message.event_tags, event.event_tags)
            _fill(message.properties, event.properties)
        case Page() | Screen():
            _fill(message.properties, event.properties)
        case Identify() | Group():
            _fill(message.properties, event.traits)
        case _:
            pass  # an Alias has its ids alone
    return message


def _delivery(done: DeliveryDone) -> notification_pb2.DeliveryNotification:
    return notification_pb2.DeliveryNotification(
        destination=done.destination,
        state=f"DELIVERY_STATE_{done.state.name}",
        events=done.event_count,
        event_ids=done.event_ids,
        http_status=done.status,
        error=done.error,
        attempt=done.attempt,
    )


def _datafile_update(updated: DatafileUpdated) -> notification_pb2.DatafileUpdateNotification:
    return notification_pb2.DatafileUpdateNotification(
        datafile=updated.datafile, revision=updated.revision, previous_revision=updated.previous_revision
    )


def _fill(fields: Mapping[str, value_pb2.Value], native: Mapping[str, Value]) -> None:
    """Fill a map of the contract, which makes an entry when it is asked for one."""
    for key, value in native.items():
        fields[key].CopyFrom(to_wire(value))
