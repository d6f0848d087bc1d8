"""What the fake of `testing` records: events and decisions, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from sidecar_client._encoding import value_of
from sidecar_client._events import EventMessage
from sidecar_client.events import Money
from sidecar_client.pb import decision_pb2, tracking_pb2
from sidecar_client.variables import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event that the code under test sent; `name` is the event key, page, screen or group id."""

    kind: str
    """`track`, `identify`, `page`, `screen`, `group` or `alias`."""
    name: str
    event_id: str
    user_id: str
    anonymous_id: str
    timestamp: datetime
    previous_id: str = ""
    category: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    tags: Mapping[str, Value] = field(default_factory=dict)
    properties: Mapping[str, Value] = field(default_factory=dict)
    traits: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    integrations: Mapping[str, Value] = field(default_factory=dict)
    revenue: Money | None = None


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision that the code under test asked for, one for each flag answered."""

    user_id: str
    flag_key: str
    attributes: Mapping[str, Value]


def asked(request: decision_pb2.DecideRequest, flag_keys: Iterable[str]) -> list[RecordedDecision]:
    """The decisions of a request, one for each flag answered."""
    attributes = {key: value_of(value) for key, value in request.attributes.items()}
    return [RecordedDecision(request.user_id, key, attributes) for key in flag_keys]


def recorded(kind: str, request: EventMessage) -> RecordedEvent:
    """The event of a request: its fields by name, since the six messages name alike what is alike."""

    def text(*names: str) -> str:
        return next((str(getattr(request, name)) for name in names if hasattr(request, name)), "")

    def values(name: str) -> dict[str, Value]:
        return {key: value_of(value) for key, value in getattr(request, name, {}).items()}

    money = request.revenue if isinstance(request, tracking_pb2.TrackRequest) else None
    return RecordedEvent(
        kind=kind,
        name=text("event_key", "name", "group_id"),
        event_id=request.event_id,
        user_id=request.user_id,
        anonymous_id=request.anonymous_id,
        timestamp=request.timestamp.ToDatetime(tzinfo=UTC),
        previous_id=text("previous_id"),
        category=text("category"),
        attributes=values("attributes"),
        tags=values("event_tags"),
        properties=values("properties"),
        traits=values("traits"),
        context=values("context"),
        integrations=values("integrations"),
        revenue=Money(Decimal(money.amount), money.currency) if money is not None and money.currency else None,
    )
