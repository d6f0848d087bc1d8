"""Reads outbox records back into events, and keeps project facts as bytes. The form: `proto/sidecar/outbox/v1`.

A record holds its requests as they were received; what was stamped at receipt (time, id, datafile) stands beside them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError

from sidecar.events.identity import impression_id
from sidecar.events.model import (
    Alias,
    Event,
    Group,
    Identify,
    Impression,
    Origin,
    Page,
    ProjectFacts,
    Screen,
    Track,
)
from sidecar.pb import classic_pb2, decision_pb2, record_pb2, tracking_pb2
from sidecar.ports import EncodedFacts, StoredRecord
from sidecar.rpc.wire_values import trusted_mapping
from sidecar.values import Money, Value

TrackingRequest: TypeAlias = (
    tracking_pb2.TrackRequest
    | tracking_pb2.IdentifyRequest
    | tracking_pb2.PageRequest
    | tracking_pb2.ScreenRequest
    | tracking_pb2.GroupRequest
    | tracking_pb2.AliasRequest
)

Maps: TypeAlias = Mapping[str, Mapping[str, Value]]
"""The maps of a request by field name, as native values."""

FACTS_CACHED_MAX: Final = 64
"""Revisions whose facts are kept decoded; an outage spans few of them."""


class StoredRecordCodec:
    """The `RecordCodec` of `sidecar.outbox.v1`."""

    def __init__(self) -> None:
        self._facts = functools.lru_cache(maxsize=FACTS_CACHED_MAX)(_read_facts)

    def events(self, record: StoredRecord) -> Sequence[Event]:
        """See `ports.RecordCodec`."""
        try:
            stored = record_pb2.StoredRecord.FromString(record.body)
            found = _Events(stored)
            return [found.at(index) for index in record.indexes]
        except (DecodeError, IndexError) as broken:
            raise ValueError(f"record {record.record_id} cannot be read: {broken}") from broken

    def facts(self, facts: EncodedFacts) -> ProjectFacts:
        """See `ports.RecordCodec`."""
        return self._facts(facts)

    def encode_facts(self, facts: ProjectFacts) -> EncodedFacts:
        """See `ports.RecordCodec`."""
        stored = record_pb2.StoredFacts(
            account_id=facts.account_id,
            project_id=facts.project_id,
            revision=facts.revision,
            region=facts.region,
            sdk_key=facts.sdk_key,
            anonymize_ip=facts.anonymize_ip,
            attribute_ids=facts.attribute_ids,
            event_ids=facts.event_ids,
        )
        if facts.bot_filtering is not None:
            stored.bot_filtering = facts.bot_filtering
        body = stored.SerializeToString(deterministic=True)
        return EncodedFacts(hashlib.sha256(body).hexdigest(), body)


class _Events:
    """The events of one record by index; the request of a decision is parsed once for all its impressions."""

    def __init__(self, stored: record_pb2.StoredRecord) -> None:
        self._places = [(call, at) for call in stored.calls for at in range(max(1, len(call.impressions)))]
        self._user_of: tuple[record_pb2.StoredCall, Origin, Mapping[str, Any]] | None = None

    def at(self, index: int) -> Event:
        call, at = self._places[index]
        if call.impressions:
            return self._impression(call, call.impressions[at])
        kind = call.WhichOneof("call")
        if kind not in _READERS:
            raise IndexError(f"event {index} is of the unknown kind `{kind}`")
        message, make = _READERS[kind]
        body = getattr(call, kind)
        request = message.FromString(body)
        maps = {name: trusted_mapping(getattr(request, name)) for name in map_names(message)}
        stamp = Stamp(call.received_time_ms, call.call_id, call.datafile, len(body), call.historical)
        return make(request, maps, _origin(stamp, request, maps))

    def _impression(self, call: record_pb2.StoredCall, stored: record_pb2.StoredImpression) -> Impression:
        if self._user_of is None or self._user_of[0] is not call:
            form = call.WhichOneof("call")
            if form not in _DECIDED:
                raise IndexError(f"impressions stand beside a call of the unknown kind `{form}`")
            request = _DECIDED[form].FromString(getattr(call, form))
            origin = Origin(
                event_id=call.call_id,
                time_ms=call.received_time_ms,
                received_ms=call.received_time_ms,
                user_id=request.user_id,
                datafile=call.datafile,
            )
            self._user_of = (call, origin, trusted_mapping(request.attributes))
        _, decided, attributes = self._user_of
        origin = Origin(
            event_id=impression_id(call.call_id, stored.flag_key, stored.rule_key, stored.rule_type),
            time_ms=decided.time_ms,
            received_ms=decided.received_ms,
            user_id=decided.user_id,
            datafile=decided.datafile,
        )
        return Impression(
            origin=origin,
            decision_id=call.call_id,
            flag_key=stored.flag_key,
            rule_key=stored.rule_key,
            rule_type=stored.rule_type,
            variation_key=stored.variation_key,
            enabled=stored.enabled,
            campaign_id=stored.campaign_id,
            experiment_id=stored.experiment_id,
            experiment_key=stored.experiment_name or stored.rule_key,
            variation_id=stored.variation_id,
            attributes=attributes,
        )


@functools.cache
def map_names(request: type[TrackingRequest]) -> tuple[str, ...]:
    """The fields of a request that are maps of `Value`, in the order of the contract."""
    fields = request.DESCRIPTOR.fields
    return tuple(field.name for field in fields if field.message_type and field.message_type.GetOptions().map_entry)


class Stamp(NamedTuple):
    """What was stamped on a call at its receipt: the part of a `StoredCall` that is not the request."""

    received_time_ms: int
    call_id: str
    datafile: str
    request_bytes: int
    historical: bool = False


def event_of(kind: str, request: TrackingRequest, maps: Maps, stamp: Stamp) -> Event:
    """The event of a tracking request that was just validated, as `events` will read it later.

    `kind` is the name of the request's field in `StoredCall` (`track`, `identify`, …), `maps` its maps as native
    values.
    """
    return _READERS[kind][1](request, maps, _origin(stamp, request, maps))


def _origin(stamp: Stamp, request: TrackingRequest, maps: Maps) -> Origin:
    timed = request.HasField("timestamp")
    return Origin(
        event_id=stamp.call_id,
        time_ms=request.timestamp.ToMilliseconds() if timed else stamp.received_time_ms,
        received_ms=stamp.received_time_ms,
        user_id=request.user_id,
        anonymous_id=request.anonymous_id,
        datafile=stamp.datafile,
        context=maps["context"],
        integrations=maps["integrations"],
        historical=stamp.historical,
        request_bytes=stamp.request_bytes,
    )


def _track(request: tracking_pb2.TrackRequest, maps: Maps, origin: Origin) -> Track:
    revenue = None
    if request.HasField("revenue"):
        revenue = Money(Decimal(request.revenue.amount), request.revenue.currency)
    return Track(
        origin=origin,
        event_key=request.event_key,
        attributes=maps["attributes"],
        event_tags=maps["event_tags"],
        properties=maps["properties"],
        revenue=revenue,
    )


def _identify(request: tracking_pb2.IdentifyRequest, maps: Maps, origin: Origin) -> Identify:
    return Identify(origin=origin, traits=maps["traits"])


def _page(request: tracking_pb2.PageRequest, maps: Maps, origin: Origin) -> Page:
    return Page(
        origin=origin,
        name=request.name,
        category=request.category,
        properties=maps["properties"],
    )


def _screen(request: tracking_pb2.ScreenRequest, maps: Maps, origin: Origin) -> Screen:
    return Screen(
        origin=origin,
        name=request.name,
        category=request.category,
        properties=maps["properties"],
    )


def _group(request: tracking_pb2.GroupRequest, maps: Maps, origin: Origin) -> Group:
    return Group(origin=origin, group_id=request.group_id, traits=maps["traits"])


def _alias(request: tracking_pb2.AliasRequest, maps: Maps, origin: Origin) -> Alias:
    return Alias(origin=origin, previous_id=request.previous_id)


_READERS: Final[Mapping[str, tuple[Any, Callable[[Any, Maps, Origin], Event]]]] = {
    "track": (tracking_pb2.TrackRequest, _track),
    "identify": (tracking_pb2.IdentifyRequest, _identify),
    "page": (tracking_pb2.PageRequest, _page),
    "screen": (tracking_pb2.ScreenRequest, _screen),
    "group": (tracking_pb2.GroupRequest, _group),
    "alias": (tracking_pb2.AliasRequest, _alias),
}


_DECIDED: Final[Mapping[str, Any]] = {
    "decide": decision_pb2.DecideRequest,
    "decide_user": decision_pb2.DecideManyUser,
    "activate": classic_pb2.ActivateRequest,
    "is_feature_enabled": classic_pb2.IsFeatureEnabledRequest,
    "get_enabled_features": classic_pb2.GetEnabledFeaturesRequest,
}
"""The calls that make impressions; each has `user_id` and `attributes`."""


def _read_facts(facts: EncodedFacts) -> ProjectFacts:
    try:
        stored = record_pb2.StoredFacts.FromString(facts.body)
    except DecodeError as broken:
        raise ValueError(f"project facts {facts.key} cannot be read: {broken}") from broken
    return ProjectFacts(
        account_id=stored.account_id,
        project_id=stored.project_id,
        revision=stored.revision,
        region=stored.region or "US",
        sdk_key=stored.sdk_key,
        anonymize_ip=stored.anonymize_ip,
        bot_filtering=stored.bot_filtering if stored.HasField("bot_filtering") else None,
        attribute_ids=dict(stored.attribute_ids),
        event_ids=dict(stored.event_ids),
    )
