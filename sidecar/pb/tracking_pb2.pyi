from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from . import event_pb2 as _event_pb2
from . import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrackRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "event_key", "attributes", "event_tags", "properties", "revenue", "event_id", "timestamp", "context", "integrations", "datafile")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class EventTagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TAGS_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    event_key: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    event_tags: _containers.MessageMap[str, _value_pb2.Value]
    properties: _containers.MessageMap[str, _value_pb2.Value]
    revenue: _event_pb2.Money
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., event_key: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_tags: _Optional[_Mapping[str, _value_pb2.Value]] = ..., properties: _Optional[_Mapping[str, _value_pb2.Value]] = ..., revenue: _Optional[_Union[_event_pb2.Money, _Mapping]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., datafile: _Optional[str] = ...) -> None: ...

class TrackResponse(_message.Message):
    __slots__ = ("event_id", "outcomes", "exposure_seen_here")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_SEEN_HERE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    exposure_seen_here: bool
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ..., exposure_seen_here: bool = ...) -> None: ...

class IdentifyRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "traits", "context", "integrations", "event_id", "timestamp", "datafile")
    class TraitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    traits: _containers.MessageMap[str, _value_pb2.Value]
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., traits: _Optional[_Mapping[str, _value_pb2.Value]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class IdentifyResponse(_message.Message):
    __slots__ = ("event_id", "outcomes")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ...) -> None: ...

class PageRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "name", "category", "properties", "context", "integrations", "event_id", "timestamp", "datafile")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    name: str
    category: str
    properties: _containers.MessageMap[str, _value_pb2.Value]
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., name: _Optional[str] = ..., category: _Optional[str] = ..., properties: _Optional[_Mapping[str, _value_pb2.Value]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class PageResponse(_message.Message):
    __slots__ = ("event_id", "outcomes")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ...) -> None: ...

class ScreenRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "name", "category", "properties", "context", "integrations", "event_id", "timestamp", "datafile")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    name: str
    category: str
    properties: _containers.MessageMap[str, _value_pb2.Value]
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., name: _Optional[str] = ..., category: _Optional[str] = ..., properties: _Optional[_Mapping[str, _value_pb2.Value]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class ScreenResponse(_message.Message):
    __slots__ = ("event_id", "outcomes")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ...) -> None: ...

class GroupRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "group_id", "traits", "context", "integrations", "event_id", "timestamp", "datafile")
    class TraitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    group_id: str
    traits: _containers.MessageMap[str, _value_pb2.Value]
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., group_id: _Optional[str] = ..., traits: _Optional[_Mapping[str, _value_pb2.Value]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class GroupResponse(_message.Message):
    __slots__ = ("event_id", "outcomes")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ...) -> None: ...

class AliasRequest(_message.Message):
    __slots__ = ("user_id", "anonymous_id", "previous_id", "context", "integrations", "event_id", "timestamp", "datafile")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IntegrationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGRATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    anonymous_id: str
    previous_id: str
    context: _containers.MessageMap[str, _value_pb2.Value]
    integrations: _containers.MessageMap[str, _value_pb2.Value]
    event_id: str
    timestamp: _timestamp_pb2.Timestamp
    datafile: str
    def __init__(self, user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., previous_id: _Optional[str] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ..., integrations: _Optional[_Mapping[str, _value_pb2.Value]] = ..., event_id: _Optional[str] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class AliasResponse(_message.Message):
    __slots__ = ("event_id", "outcomes")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcomes: _containers.RepeatedCompositeFieldContainer[_event_pb2.Outcome]
    def __init__(self, event_id: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_event_pb2.Outcome, _Mapping]]] = ...) -> None: ...

class ImportRequest(_message.Message):
    __slots__ = ("events", "include_optimizely", "datafile")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_OPTIMIZELY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ImportEvent]
    include_optimizely: bool
    datafile: str
    def __init__(self, events: _Optional[_Iterable[_Union[ImportEvent, _Mapping]]] = ..., include_optimizely: bool = ..., datafile: _Optional[str] = ...) -> None: ...

class ImportEvent(_message.Message):
    __slots__ = ("track", "identify", "page", "screen", "group", "alias")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    IDENTIFY_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SCREEN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    track: TrackRequest
    identify: IdentifyRequest
    page: PageRequest
    screen: ScreenRequest
    group: GroupRequest
    alias: AliasRequest
    def __init__(self, track: _Optional[_Union[TrackRequest, _Mapping]] = ..., identify: _Optional[_Union[IdentifyRequest, _Mapping]] = ..., page: _Optional[_Union[PageRequest, _Mapping]] = ..., screen: _Optional[_Union[ScreenRequest, _Mapping]] = ..., group: _Optional[_Union[GroupRequest, _Mapping]] = ..., alias: _Optional[_Union[AliasRequest, _Mapping]] = ...) -> None: ...

class ImportResponse(_message.Message):
    __slots__ = ("event_ids", "outcomes", "repeated_events")
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REPEATED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    outcomes: _containers.RepeatedCompositeFieldContainer[ImportOutcome]
    repeated_events: int
    def __init__(self, event_ids: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Iterable[_Union[ImportOutcome, _Mapping]]] = ..., repeated_events: _Optional[int] = ...) -> None: ...

class ImportOutcome(_message.Message):
    __slots__ = ("outcome", "event_indexes", "events")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    outcome: _event_pb2.Outcome
    event_indexes: _containers.RepeatedScalarFieldContainer[int]
    events: int
    def __init__(self, outcome: _Optional[_Union[_event_pb2.Outcome, _Mapping]] = ..., event_indexes: _Optional[_Iterable[int]] = ..., events: _Optional[int] = ...) -> None: ...

class ImportStreamRequest(_message.Message):
    __slots__ = ("events", "include_optimizely", "datafile")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_OPTIMIZELY_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ImportEvent]
    include_optimizely: bool
    datafile: str
    def __init__(self, events: _Optional[_Iterable[_Union[ImportEvent, _Mapping]]] = ..., include_optimizely: bool = ..., datafile: _Optional[str] = ...) -> None: ...

class ImportStreamResponse(_message.Message):
    __slots__ = ("accepted_through", "error", "summary")
    ACCEPTED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    accepted_through: int
    error: _status_pb2.Status
    summary: ImportSummary
    def __init__(self, accepted_through: _Optional[int] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., summary: _Optional[_Union[ImportSummary, _Mapping]] = ...) -> None: ...

class ImportSummary(_message.Message):
    __slots__ = ("accepted_events", "refused_events", "repeated_events", "outcomes")
    ACCEPTED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REPEATED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    accepted_events: int
    refused_events: int
    repeated_events: int
    outcomes: _containers.RepeatedCompositeFieldContainer[ImportOutcome]
    def __init__(self, accepted_events: _Optional[int] = ..., refused_events: _Optional[int] = ..., repeated_events: _Optional[int] = ..., outcomes: _Optional[_Iterable[_Union[ImportOutcome, _Mapping]]] = ...) -> None: ...

class FlushRequest(_message.Message):
    __slots__ = ("timeout", "datafile")
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DATAFILE_FIELD_NUMBER: _ClassVar[int]
    timeout: _duration_pb2.Duration
    datafile: str
    def __init__(self, timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., datafile: _Optional[str] = ...) -> None: ...

class FlushResponse(_message.Message):
    __slots__ = ("remainders",)
    REMAINDERS_FIELD_NUMBER: _ClassVar[int]
    remainders: _containers.RepeatedCompositeFieldContainer[FlushRemainder]
    def __init__(self, remainders: _Optional[_Iterable[_Union[FlushRemainder, _Mapping]]] = ...) -> None: ...

class FlushRemainder(_message.Message):
    __slots__ = ("destination", "events", "pause_reason")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    destination: str
    events: int
    pause_reason: str
    def __init__(self, destination: _Optional[str] = ..., events: _Optional[int] = ..., pause_reason: _Optional[str] = ...) -> None: ...
