"""Events built complete, with id and time, before the first try, and the calls that bring them. No clock, no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias, TypedDict

from sidecar_client import _replies
from sidecar_client._calls import Call
from sidecar_client._encoding import put_all
from sidecar_client._identity import Identity
from sidecar_client.events import Accepted, Money
from sidecar_client.pb import tracking_pb2
from sidecar_client.settings import EVENT_RETRY, Settings

SERVICE: Final = "/sidecar.v1.TrackingService/"

EventMessage: TypeAlias = (
    tracking_pb2.TrackRequest
    | tracking_pb2.IdentifyRequest
    | tracking_pb2.PageRequest
    | tracking_pb2.ScreenRequest
    | tracking_pb2.GroupRequest
    | tracking_pb2.AliasRequest
)


class EventOptions(TypedDict, total=False):
    """What every event takes; all optional.

    `event_id` names the event, 1-100 characters, a UUID by default: to repeat a call that failed, pass the
    error's. `timestamp` is when it happened, an aware datetime, now by default. `context` says where and how
    it happened. `integrations` says which destinations want it.
    """

    event_id: str
    timestamp: datetime
    context: Mapping[str, object]
    integrations: Mapping[str, object]


class TrackOptions(EventOptions, total=False):
    """What `track` takes besides.

    `tags` have Optimizely's meaning (`revenue` whole cents, `value` a number), `properties` Segment's.
    `revenue` is exact and above both: a Money, or a Decimal in major units with its `currency`.
    """

    tags: Mapping[str, object]
    properties: Mapping[str, object]
    revenue: Money | Decimal
    currency: str


class NamedOptions(EventOptions, total=False):
    """What `page` and `screen` take besides: the `category` it belongs to, and what else is known of it."""

    category: str
    properties: Mapping[str, object]


class Stamp:
    """Id and time of one event, made by the caller of the builders before the first try."""

    __slots__ = ("event_id", "time_ns")

    def __init__(self, event_id: str, time_ns: int) -> None:
        self.event_id = event_id
        self.time_ns = time_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event that is complete and not sent yet, as `import_events` takes it.

    `kind` is `track`, `identify`, `page`, `screen`, `group` or `alias`.
    """

    kind: str
    event_id: str
    request: EventMessage = field(repr=False)
    """The event on the wire; not to be changed."""


def track(user: Identity, stamp: Stamp, event_key: str, details: TrackOptions) -> Draft:
    """A Track. Raises as `put_all`; ValueError for revenue without currency or the other way round."""
    request = tracking_pb2.TrackRequest(event_key=event_key)
    revenue = _money(details.get("revenue"), details.get("currency"))
    if revenue is not None:
        # Why not str: a Decimal of an odd exponent would be written as 1E+2, which the contract refuses.
        request.revenue.amount, request.revenue.currency = f"{revenue.amount:f}", revenue.currency
    for key, value in user.request.attributes.items():
        request.attributes[key].CopyFrom(value)
    put_all(request.event_tags, details.get("tags", {}), "tags")
    put_all(request.properties, details.get("properties", {}), "properties")
    return _draft("track", request, user, stamp, details)


def identify(user: Identity, stamp: Stamp, traits: Mapping[str, object], details: EventOptions) -> Draft:
    """An Identify."""
    request = tracking_pb2.IdentifyRequest()
    put_all(request.traits, traits, "traits")
    return _draft("identify", request, user, stamp, details)


def page(user: Identity, stamp: Stamp, name: str, details: NamedOptions) -> Draft:
    """A Page."""
    request = tracking_pb2.PageRequest(name=name, category=details.get("category", ""))
    put_all(request.properties, details.get("properties", {}), "properties")
    return _draft("page", request, user, stamp, details)


def screen(user: Identity, stamp: Stamp, name: str, details: NamedOptions) -> Draft:
    """A Screen."""
    request = tracking_pb2.ScreenRequest(name=name, category=details.get("category", ""))
    put_all(request.properties, details.get("properties", {}), "properties")
    return _draft("screen", request, user, stamp, details)


def group(user: Identity, stamp: Stamp, group_id: str, traits: Mapping[str, object], details: EventOptions) -> Draft:
    """A Group."""
    request = tracking_pb2.GroupRequest(group_id=group_id)
    put_all(request.traits, traits, "traits")
    return _draft("group", request, user, stamp, details)


def alias(user: Identity, stamp: Stamp, previous_id: str, details: EventOptions) -> Draft:
    """An Alias."""
    return _draft("alias", tracking_pb2.AliasRequest(previous_id=previous_id), user, stamp, details)


_DECODERS: Mapping[str, Callable[[bytes], Accepted]] = MappingProxyType({"track": _replies.tracked})


def call(draft: Draft, settings: Settings, timeout_s: float | None) -> Call[Accepted]:
    """The call that brings one event."""
    return Call(
        method=SERVICE + draft.kind.capitalize(),
        request=draft.request.SerializeToString(),
        timeout_s=settings.event_timeout_s if timeout_s is None else timeout_s,
        retry=EVENT_RETRY,
        decode=_DECODERS.get(draft.kind, _replies.accepted),
        event_id=draft.event_id,
    )


def _draft(kind: str, request: EventMessage, user: Identity, stamp: Stamp, details: EventOptions) -> Draft:
    """Fill in what all events have."""
    request.user_id = user.user_id
    request.anonymous_id = user.anonymous_id
    request.event_id = details.get("event_id") or stamp.event_id
    request.datafile = user.datafile
    timestamp = details.get("timestamp")
    if timestamp is None:
        request.timestamp.FromNanoseconds(stamp.time_ns)
    elif timestamp.tzinfo is None:
        raise ValueError(f"timestamp is `{timestamp}` without a time zone, wanted an aware datetime")
    else:
        request.timestamp.FromDatetime(timestamp)
    put_all(request.context, details.get("context", {}), "context")
    put_all(request.integrations, details.get("integrations", {}), "integrations")
    return Draft(kind=kind, event_id=request.event_id, request=request)


def _money(revenue: Money | Decimal | None, currency: str | None) -> Money | None:
    """The one form of revenue. Raises ValueError when the currency is missing, or said twice."""
    if isinstance(revenue, Money):
        if currency is not None:
            raise ValueError(f"currency is `{currency}` beside a revenue in `{revenue.currency}`, wanted it once")
        return revenue
    if revenue is None:
        if currency is not None:
            raise ValueError(f"currency is `{currency}` without a revenue, wanted both or neither")
        return None
    if currency is None:
        raise ValueError(f"revenue is `{revenue}` without a currency, wanted a Money or currency='USD'")
    return Money(revenue, currency)
