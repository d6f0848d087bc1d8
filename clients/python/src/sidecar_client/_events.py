"""Calls that bring events, built complete, with id and time, before the first try. No clock, no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias, TypedDict, TypeVar

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
Message = TypeVar("Message", bound=EventMessage)


class EventOptions(TypedDict, total=False):
    """What every event takes; all optional.

    `event_id` names the event, 1-100 characters, a UUID by default: to repeat a call that failed, pass the
    error's. `timestamp` is when it happened, an aware datetime, now by default. `context` says where and how
    it happened. `integrations` says which destinations want it. `timeout_s` stands above the client's own.
    """

    event_id: str
    timestamp: datetime
    context: Mapping[str, object]
    integrations: Mapping[str, object]
    timeout_s: float


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


def track(user: Identity, settings: Settings, stamp: Stamp, event_key: str, details: TrackOptions) -> Call[Accepted]:
    """A Track, with the attributes of the user."""
    request = tracking_pb2.TrackRequest(event_key=event_key)
    request.attributes.MergeFrom(user.request.attributes)
    put_all(request.event_tags, details.get("tags", {}), "tags")
    put_all(request.properties, details.get("properties", {}), "properties")
    money = _money(details.get("revenue"), details.get("currency"))
    if money is not None:
        request.revenue.amount = format(money.amount, "f")
        request.revenue.currency = money.currency
    return _call("Track", request, user, settings, stamp, details=details, decode=_replies.tracked)


def identify(
    user: Identity, settings: Settings, stamp: Stamp, traits: Mapping[str, object], details: EventOptions
) -> Call[Accepted]:
    """An Identify."""
    request = tracking_pb2.IdentifyRequest()
    put_all(request.traits, traits, "traits")
    return _call("Identify", request, user, settings, stamp, details=details)


def page(user: Identity, settings: Settings, stamp: Stamp, name: str, details: NamedOptions) -> Call[Accepted]:
    """A Page."""
    request = tracking_pb2.PageRequest(name=name, category=details.get("category", ""))
    put_all(request.properties, details.get("properties", {}), "properties")
    return _call("Page", request, user, settings, stamp, details=details)


def screen(user: Identity, settings: Settings, stamp: Stamp, name: str, details: NamedOptions) -> Call[Accepted]:
    """A Screen."""
    request = tracking_pb2.ScreenRequest(name=name, category=details.get("category", ""))
    put_all(request.properties, details.get("properties", {}), "properties")
    return _call("Screen", request, user, settings, stamp, details=details)


def group(
    user: Identity,
    settings: Settings,
    stamp: Stamp,
    group_id: str,
    *,
    traits: Mapping[str, object],
    details: EventOptions,
) -> Call[Accepted]:
    """A Group."""
    request = tracking_pb2.GroupRequest(group_id=group_id)
    put_all(request.traits, traits, "traits")
    return _call("Group", request, user, settings, stamp, details=details)


def alias(user: Identity, settings: Settings, stamp: Stamp, previous_id: str, details: EventOptions) -> Call[Accepted]:
    """An Alias."""
    request = tracking_pb2.AliasRequest(previous_id=previous_id)
    return _call("Alias", request, user, settings, stamp, details=details)


def _call(
    method: str,
    request: EventMessage,
    user: Identity,
    settings: Settings,
    stamp: Stamp,
    *,
    details: EventOptions,
    decode: Callable[[bytes], Accepted] = _replies.accepted,
) -> Call[Accepted]:
    """Fill in what all events have, and make the call of it."""
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
    return Call(
        method=SERVICE + method,
        request=request.SerializeToString(),
        timeout_s=details.get("timeout_s", settings.event_timeout_s),
        retry=EVENT_RETRY,
        decode=decode,
        event_id=request.event_id,
    )


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
