"""What can be told, as values: a decision, an accepted event, a delivery, a datafile update. No message of the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from sidecar.decision import Decision
from sidecar.events.model import NO_VALUES, Event
from sidecar.values import Outcome, Value

_PART_BYTES: Final = 64
"""What a value is charged besides its text: about what Python's own objects take."""


class Kind(StrEnum):
    """What can be told."""

    DECISION = "decision"
    TRACKED = "tracked"
    DELIVERY = "delivery"
    DATAFILE_UPDATE = "datafile_update"


class DecisionKind(StrEnum):
    """What a decision was made for; the notification types of Optimizely's SDKs."""

    FLAG = "flag"
    EXPERIMENT = "experiment"
    FEATURE = "feature"
    FEATURE_VARIABLE = "feature-variable"
    ALL_FEATURE_VARIABLES = "all-feature-variables"


class DeliveryState(StrEnum):
    """What came of an attempt."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """A decision was made, for one user and one flag or experiment.

    `attributes` are those of the request and are not copied. For an experiment asked for by key the decision's
    `flag_key` is empty and its `rule_key` is the experiment. `decision_id` is empty when the call has none;
    `datafile` is the configured name; `variable_key` is for FEATURE_VARIABLE alone.
    """

    user_id: str
    kind: DecisionKind
    decision: Decision
    revision: str
    datafile: str
    attributes: Mapping[str, Value] = field(default_factory=lambda: NO_VALUES)
    decision_id: str = ""
    impression_offered: bool = False
    variable_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTracked:
    """An event was accepted; `outcomes` in the order of the config."""

    event: Event
    outcomes: tuple[Outcome, ...]
    datafile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDone:
    """A batch was attempted, or events became dead letters without an attempt (`attempt` 0).

    `event_count` is how many events it had, `event_ids` the first of their ids, at most
    `limits.NOTIFIED_EVENT_IDS_MAX`; `attempt` counts from 1; `status` is the HTTP status, 0 = none.
    """

    destination: str
    state: DeliveryState
    event_count: int
    event_ids: tuple[str, ...] = ()
    status: int = 0
    error: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatafileUpdated:
    """Another datafile is in force; `previous_revision` is empty for the first."""

    datafile: str
    revision: str
    previous_revision: str = ""


Notification: TypeAlias = DecisionMade | EventTracked | DeliveryDone | DatafileUpdated

_KINDS: Final[Mapping[type, Kind]] = {
    DecisionMade: Kind.DECISION,
    EventTracked: Kind.TRACKED,
    DeliveryDone: Kind.DELIVERY,
    DatafileUpdated: Kind.DATAFILE_UPDATE,
}


def key_of(notification: Notification) -> tuple[Kind, str]:
    """The kind, and the datafile that it concerns; "" for a delivery, which concerns every datafile."""
    if isinstance(notification, DeliveryDone):
        return Kind.DELIVERY, ""
    return _KINDS[type(notification)], notification.datafile


def bytes_of(notification: Notification) -> int:
    """About what a notification holds in memory, if nothing of it is shared."""
    if isinstance(notification, EventTracked):
        event = notification.event
        parts = (getattr(each, name) for each in (event, event.origin) for name in each.__struct_fields__)
        return _values_bytes(parts)
    if isinstance(notification, DeliveryDone):
        return _values_bytes(notification.event_ids)
    return _PART_BYTES


def _values_bytes(values: Iterable[object]) -> int:
    return _PART_BYTES + sum(map(value_bytes, values))


def value_bytes(value: object) -> int:
    """About what a native value holds in memory."""
    if isinstance(value, str):
        return _PART_BYTES + len(value)
    if isinstance(value, Mapping):
        return _values_bytes(value) + _values_bytes(value.values())
    if isinstance(value, list | tuple):
        return _values_bytes(value)
    return _PART_BYTES
